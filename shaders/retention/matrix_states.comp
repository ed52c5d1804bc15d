#version 460
// chunk_states on matrix units (retention_matrix.glsl), from f16 keys and values:
//
//   S ← γᴸ·S + K̂ᵀ·(γᴸ⁻¹⁻ʲ v_j)                 over the L tokens of a chunk
//
// The sums are S itself, in f32 from the first token to the last. What each chunk begins with goes to chunkStates in f16,
// times headScale. A workgroup owns TILE_M key rows and TILE_N value columns of one head of one sequence.

#extension GL_GOOGLE_include_directive : require

#define A_BY_DEPTH
#define B_BY_DEPTH
#include "retention_matrix.glsl"
#include "state.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads keys;         // [rows][stride] f16, rotated
    Quads values;       // [rows][stride] f16
    StateView state;    // [slot][slotVectors]: [HEADS][KEY_SIZE][valueSize] of this layer
    Halves chunkStates; // [chunks][HEADS][KEY_SIZE][valueSize]
    Quads segments;     // [segments]: slot, first row, rows, first chunk
    Pairs decay;        // [HEADS], (γ, ln γ)
    Words positions;    // [rows], tokens consumed, the row's included
    uint stride;        // elements, a multiple of 8
    uint slotVectors;
    uint valueSize;
    uint chunkLength;
    uint valueTiles;
};

uint head = gl_WorkGroupID.y % HEADS;
uint firstKey = gl_WorkGroupID.x / valueTiles * TILE_M;
uint firstValue = gl_WorkGroupID.x % valueTiles * TILE_N;
vec2 gamma = decay.at[head];

// A step is its first row, and how many of the chunk's are left from there on.
uvec4 loadA(uvec2 step_, uint line, uint quad)
{
    const uint column = firstKey + 8 * quad;
    return line < step_.y && column < KEY_SIZE ? keys.at[((step_.x + line) * stride + head / GROUP * KEY_SIZE + column) / 8] : uvec4(0);
}

uvec4 loadB(uvec2 step_, uint line, uint quad)
{
    const uint column = firstValue + 8 * quad;
    return line < step_.y && column < valueSize ? values.at[((step_.x + line) * stride + head / GROUP * valueSize + column) / 8] : uvec4(0);
}

uvec4 readyA(uvec2 step_, uint line, uvec4 eight)
{
    return eight;
}

uvec4 readyB(uvec2 step_, uint line, uvec4 eight)
{
    return scaled(eight, decayPower(gamma, float(step_.y - 1) - float(line)));
}

void storeChunk(bool inside, uint chunk, uint origin, uint i)
{
    if (!inside)
        return;
    coopmat<float, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator> held = sums[i] * headScale(gamma);
    [[unroll]] for (uint e = 0; e < held.length(); e++)
        held[e] = clamp(held[e], -HALF_MAX, HALF_MAX);
    coopMatStore(
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_M, MATRIX_N, gl_MatrixUseAccumulator>(held),
        chunkStates.at, chunk * HEADS * KEY_SIZE * valueSize + origin, valueSize, gl_CooperativeMatrixLayoutRowMajor);
}

// Vector i of a matrix that begins at element `origin` of the layer.
uint vectorAt(uint origin, uint i)
{
    return origin / 4 + i / (MATRIX_N / 4) * (valueSize / 4) + i % (MATRIX_N / 4);
}

void loadSums(bool inside, uint slot, uint origin, uint i, float scale)
{
#ifdef STATE_F16
    const uint own = ownStage();
    [[unroll]] for (uint part = 0; part < MATRIX_SIZE / 4; part += SUBGROUP)
    {
        const uint v = part + gl_SubgroupInvocationID;
        const vec4 four = inside ? scale * loadState(state, slot * slotVectors + vectorAt(origin, v)) : vec4(0.0);
        [[unroll]] for (uint e = 0; e < 4; e++)
            staged[own + 4 * v + e] = four[e];
    }
    subgroupBarrier();
    coopMatLoad(sums[i], staged, own, MATRIX_N, gl_CooperativeMatrixLayoutRowMajor);
    subgroupBarrier();
#else
    if (inside)
        coopMatLoad(sums[i], state.at, slot * slotVectors + origin / 4, valueSize / 4, gl_CooperativeMatrixLayoutRowMajor);
#endif
}

void storeSums(bool inside, uint slot, uint origin, uint i, float scale, uint terms)
{
#ifdef STATE_F16
    const uint own = ownStage();
    coopMatStore(sums[i], staged, own, MATRIX_N, gl_CooperativeMatrixLayoutRowMajor);
    subgroupBarrier();
    [[unroll]] for (uint part = 0; part < MATRIX_SIZE / 4; part += SUBGROUP)
    {
        const uint v = part + gl_SubgroupInvocationID;
        const vec4 four = vec4(staged[own + 4 * v], staged[own + 4 * v + 1], staged[own + 4 * v + 2], staged[own + 4 * v + 3]);
        const uint vector = vectorAt(origin, v);
        if (inside)
            storeState(state, slot * slotVectors + vector, scale * four, stateKey(vector, terms));
    }
    subgroupBarrier();
#else
    if (inside)
        coopMatStore(sums[i], state.at, slot * slotVectors + origin / 4, valueSize / 4, gl_CooperativeMatrixLayoutRowMajor);
#endif
}

// For each of the subgroup's matrices: its number, where it begins in the layer, and whether it is inside.
#define FOR_EACH_MATRIX(inside, i, origin, statement) \
    [[unroll]] for (uint i = 0; i < OWN_M * OWN_N; i++) \
    { \
        const uint key = firstKey + corner.x + i / OWN_N * MATRIX_M; \
        const uint value = firstValue + corner.y + i % OWN_N * MATRIX_N; \
        const uint origin = (head * KEY_SIZE + key) * valueSize + value; \
        const bool inside = key < KEY_SIZE && value < valueSize; \
        statement; \
    }

void main()
{
    const uvec4 segment = segments.at[gl_WorkGroupID.y / HEADS];
    const uvec2 corner = ownCorner();
    const uint before = positions.at[segment.y] - 1;
    const float loadScale = stateScale(gamma, before);
    const float storeScale = 1.0 / stateScale(gamma, before + segment.z);
    clearSums();
    FOR_EACH_MATRIX(inside, i, origin, loadSums(inside, segment.x, origin, i, loadScale))

    load(uvec2(segment.y, min(chunkLength, segment.z)));
    for (uint done = 0, chunk = segment.w; done < segment.z; done += chunkLength, chunk++)
    {
        const uint length = min(chunkLength, segment.z - done);
        FOR_EACH_MATRIX(inside, i, origin, storeChunk(inside, chunk, origin, i))
        // S − (1 − γᴸ)·S: γᴸ itself would be rounded the same way in every chunk that a slow head remembers.
        const float missing = (1.0 - gamma.x) * decaySum(gamma, float(length));
        [[unroll]] for (uint i = 0; i < OWN_M * OWN_N; i++)
            sums[i] = sums[i] - sums[i] * missing;
        for (uint offset = 0; offset < length; offset += DEPTH)
        {
            const uint row = segment.y + done + offset;
            const uint after = segment.z - done - length;
            const bool within = offset + DEPTH < length;
            take(
                uvec2(row, length - offset), within ? uvec2(row + DEPTH, length - offset - DEPTH) : uvec2(segment.y + done + length, min(chunkLength, after)),
                corner, !within && after == 0);
        }
    }

    FOR_EACH_MATRIX(inside, i, origin, storeSums(inside, segment.x, origin, i, storeScale, before + segment.z))
}
