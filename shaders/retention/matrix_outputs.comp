#version 460
// chunk_outputs on matrix units (retention_matrix.glsl), one product for both parts:
//
//   o_i = Σ_j scores_ij·v_j + γⁱ⁺¹ q̂_iᵀ·S        scores and S times headScale, which the result is divided by
//
// A workgroup owns TILE_M queries of a chunk and TILE_N value columns of a head. A step is of keys, then of the state's rows.

#extension GL_GOOGLE_include_directive : require

#define B_BY_DEPTH
#include "retention_matrix.glsl"

layout(push_constant, std430) uniform Arguments
{
    Quads queries;     // [rows][stride] f16, rotated
    Quads scores;      // [rows][HEADS][scoreStride] f16 (matrix_scores)
    Quads values;      // [rows][stride] f16
    Quads chunkStates; // [chunks][HEADS][KEY_SIZE][valueSize] f16 (matrix_states)
    Quads tiles;       // [query tiles]: chunk, first row of the chunk, rows of the chunk, first query in it
    Pairs decay;       // [HEADS], (γ, ln γ)
    Vectors o;         // [rows][outputStride] f32
    uint stride;       // elements, a multiple of 8
    uint scoreStride;  // a multiple of DEPTH
    uint outputStride; // a multiple of 4
    uint valueSize;
};

uint head = gl_WorkGroupID.x % HEADS;
uvec4 tile = tiles.at[gl_WorkGroupID.x / HEADS];
uint firstValue = gl_WorkGroupID.y * TILE_N;
vec2 gamma = decay.at[head];

const uint OF_KEYS = 0;
const uint OF_STATE = 1;

// A step is what it is of, and the first key or row of the state.
uvec4 loadA(uvec2 step_, uint line, uint quad)
{
    const uint query = tile.w + line;
    const uint column = step_.y + 8 * quad;
    if (query >= tile.z)
        return uvec4(0);
    if (step_.x == OF_KEYS)
        return scores.at[(((tile.y + query) * HEADS + head) * scoreStride + column) / 8];
    return column < KEY_SIZE ? queries.at[((tile.y + query) * stride + head * KEY_SIZE + column) / 8] : uvec4(0);
}

uvec4 loadB(uvec2 step_, uint line, uint quad)
{
    const uint column = firstValue + 8 * quad;
    const uint row = step_.y + line;
    if (column >= valueSize)
        return uvec4(0);
    if (step_.x == OF_KEYS)
        return row < tile.z ? values.at[((tile.y + row) * stride + head / GROUP * valueSize + column) / 8] : uvec4(0);
    return row < KEY_SIZE ? chunkStates.at[(((tile.x * HEADS + head) * KEY_SIZE + row) * valueSize + column) / 8] : uvec4(0);
}

uvec4 readyA(uvec2 step_, uint line, uvec4 eight)
{
    return step_.x == OF_KEYS ? eight : scaled(eight, decayPower(gamma, float(tile.w + line + 1)));
}

uvec4 readyB(uvec2 step_, uint line, uvec4 eight)
{
    return eight;
}

void main()
{
    const uvec2 corner = ownCorner();
    const uint keyCount = min(tile.z, tile.w + TILE_M);
    clearSums();
    load(uvec2(OF_KEYS, 0));
    for (uint key = 0; key < keyCount; key += DEPTH)
        take(uvec2(OF_KEYS, key), key + DEPTH < keyCount ? uvec2(OF_KEYS, key + DEPTH) : uvec2(OF_STATE, 0), corner, false);
    for (uint row = 0; row < KEY_SIZE; row += DEPTH)
        take(uvec2(OF_STATE, row), uvec2(OF_STATE, row + DEPTH), corner, row + DEPTH >= KEY_SIZE);

    const float unscale = 1.0 / headScale(gamma);
    [[unroll]] for (uint n = 0; n < OWN_M * OWN_N; n++)
    {
        const uint query = tile.w + corner.x + n / OWN_N * MATRIX_M;
        const uint value = firstValue + corner.y + n % OWN_N * MATRIX_N;
        sums[n] = sums[n] * unscale;
        if (query + MATRIX_M <= tile.z && value < valueSize)
            coopMatStore(sums[n], o.at, ((tile.y + query) * outputStride + head * valueSize + value) / 4, outputStride / 4, gl_CooperativeMatrixLayoutRowMajor);
    }
    if (tile.z % MATRIX_M == 0 || tile.w + TILE_M <= tile.z)
        return;

    // The chunk's last rows, which are no whole matrix.
    const uint own = ownStage();
    [[unroll]] for (uint n = 0; n < OWN_M * OWN_N; n++)
    {
        const uint query = tile.w + corner.x + n / OWN_N * MATRIX_M;
        const uint value = firstValue + corner.y + n % OWN_N * MATRIX_N;
        coopMatStore(sums[n], staged, own, MATRIX_N, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier();
        [[unroll]] for (uint part = 0; part < MATRIX_SIZE; part += SUBGROUP)
        {
            const uint e = part + gl_SubgroupInvocationID;
            const uint row = query + e / MATRIX_N;
            if (query + MATRIX_M > tile.z && row < tile.z && value < valueSize)
                Floats(o).at[(tile.y + row) * outputStride + head * valueSize + value + e % MATRIX_N] = staged[own + e];
        }
        subgroupBarrier();
    }
}
