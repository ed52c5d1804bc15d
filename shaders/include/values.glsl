// Values of a token and head where the block has `values`, `valueStride` and `valueSize`.

// Four columns; zero past the last one. Scalar loads, since neither heads nor rows need begin at a multiple of 16 bytes.
vec4 loadValues(uint row, uint head, uint column)
{
    const uint at = row * valueStride + head * valueSize + column;
    vec4 v = vec4(0.0);
    [[unroll]] for (uint e = 0; e < 4; e++)
        if (column + e < valueSize)
            v[e] = values.at[at + e];
    return v;
}
