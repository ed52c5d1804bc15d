#version 460
// The scores inside chunks on matrix units (retention_matrix.glsl), decayed and masked, in f16 times headScale:
//
//   scores_ij = γⁱ⁻ʲ q̂_i·k̂_j for j ≤ i, else 0
//
// A workgroup owns TILE_M queries of a chunk and TILE_N of its keys. What lies above all queries is not computed.

#extension GL_GOOGLE_include_directive : require

#include "retention_matrix.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads queries;    // [rows][stride] f16, rotated
    Quads keys;       // [rows][stride] f16, rotated
    Halves scores;    // [rows][HEADS][scoreStride], by the query's row and the key's place in the chunk
    Quads tiles;      // [query tiles]: chunk, first row of the chunk, rows of the chunk, first query in it
    Pairs decay;      // [HEADS], (γ, ln γ)
    uint stride;      // elements, a multiple of 8
    uint scoreStride; // a multiple of TILE_N
};

uint head = gl_WorkGroupID.x % HEADS;
uvec4 tile = tiles.at[gl_WorkGroupID.x / HEADS];
uint firstKey = gl_WorkGroupID.y * TILE_N;

// A step is its first column of queries and keys.
uvec4 loadA(uvec2 step_, uint line, uint quad)
{
    const uint query = tile.w + line;
    const uint column = step_.x + 8 * quad;
    return query < tile.z && column < KEY_SIZE ? queries.at[((tile.y + query) * stride + head * KEY_SIZE + column) / 8] : uvec4(0);
}

uvec4 loadB(uvec2 step_, uint line, uint quad)
{
    const uint key = firstKey + line;
    const uint column = step_.x + 8 * quad;
    return key < tile.z && column < KEY_SIZE ? keys.at[((tile.y + key) * stride + head / GROUP * KEY_SIZE + column) / 8] : uvec4(0);
}

uvec4 readyA(uvec2 step_, uint line, uvec4 eight)
{
    return eight;
}

uvec4 readyB(uvec2 step_, uint line, uvec4 eight)
{
    return eight;
}

void main()
{
    if (firstKey >= min(tile.z, tile.w + TILE_M))
        return;
    const vec2 gamma = decay.at[head];
    const uvec2 corner = ownCorner();
    clearSums();
    load(uvec2(0));
    for (uint column = 0; column < KEY_SIZE; column += DEPTH)
        take(uvec2(column, 0), uvec2(column + DEPTH, 0), corner, column + DEPTH >= KEY_SIZE);

    const float scale = headScale(gamma);
    const uint own = ownStage();
    [[unroll]] for (uint n = 0; n < OWN_M * OWN_N; n++)
    {
        const uint query = tile.w + corner.x + n / OWN_N * MATRIX_M;
        const uint key = firstKey + corner.y + n % OWN_N * MATRIX_N;
        coopMatStore(sums[n], staged, own, MATRIX_N, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier();
        [[unroll]] for (uint part = 0; part < MATRIX_SIZE; part += SUBGROUP)
        {
            const uint e = part + gl_SubgroupInvocationID;
            const uint i = query + e / MATRIX_N;
            const uint j = key + e % MATRIX_N;
            if (i < tile.z)
                scores.at[((tile.y + i) * HEADS + head) * scoreStride + j] = toHalf(j <= i ? staged[own + e] * decayPower(gamma, float(i - j)) * scale : 0.0);
        }
        subgroupBarrier();
    }
}
