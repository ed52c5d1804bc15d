// C ← scale · Σ_k a(m, k)·b(k, n) + keep · C (+ bias_n): what the kernels of training products share (docs/kernels.md). FORM says how the factors lie:
//
//   FORM_FORWARD          a = A[m][k]   b = B[n][k]   Y = X·Wᵀ
//   FORM_INPUT_GRADIENT   a = A[m][k]   b = B[k][n]   dX = dY·W
//   FORM_WEIGHT_GRADIENT  a = A[k][m]   b = B[k][n]   dW = dYᵀ·X
//
// A workgroup owns a tile of C, TILE_M × TILE_N, and walks k DEPTH at a time. With SPLIT, workgroups share the k of a tile: each leaves its sums in
// partials, [parts][M][partialStride], and product_sum adds them in their order.

#extension GL_EXT_control_flow_attributes : require

const uint FORM_FORWARD = 0;
const uint FORM_INPUT_GRADIENT = 1;
const uint FORM_WEIGHT_GRADIENT = 2;

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint FORM = FORM_FORWARD;
layout(constant_id = 2) const uint TILE_M = 64;
layout(constant_id = 3) const uint TILE_N = 64;
layout(constant_id = 4) const uint DEPTH = 16;
layout(constant_id = 5) const bool SPLIT = false;
layout(constant_id = 6) const bool BIASED = false;
layout(constant_id = 7) const uint BAND = 8; // tiles along m that are walked for each tile along n

#include "buffers.glsl"

layout(push_constant, std430) uniform Arguments
{
    FactorView a;
    FactorView b;
    Floats c;        // [M][cStride]
    Floats partials; // SPLIT
    Floats bias;     // [N]; BIASED
    uint m;
    uint n;
    uint k;
    uint aStride;    // floats
    uint bStride;
    uint cStride;
    uint partialStride;
    uint splitDepth; // k of a part, whole turns; SPLIT
    float scale;
    float keep;      // 0: C is not read
};

// First row and column of the workgroup's tile: a band of tiles along m for each tile along n, so that workgroups that run together
// share both factors.
uvec2 ownTile()
{
    const uint id = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint band = id / (BAND * gl_NumWorkGroups.x);
    const uint within = id % (BAND * gl_NumWorkGroups.x);
    const uint height = min(BAND, gl_NumWorkGroups.y - band * BAND);
    return uvec2((band * BAND + within % height) * TILE_M, within / height * TILE_N);
}

// The k that the workgroup sums: from the first to before the second.
uvec2 ownDepth()
{
    return SPLIT ? uvec2(gl_WorkGroupID.z * splitDepth, min(k, (gl_WorkGroupID.z + 1) * splitDepth)) : uvec2(0, k);
}

// What becomes of an element's sum.
void deliver(uint row, uint column, float sum)
{
    float value = scale * sum;
    if (SPLIT)
    {
        partials.at[(gl_WorkGroupID.z * m + row) * partialStride + column] = value;
        return;
    }
    const uint at = row * cStride + column;
    if (BIASED)
        value += bias.at[column];
    if (keep != 0.0)
        value = fma(keep, c.at[at], value);
    c.at[at] = value;
}
