// Y[token][row] = Σ_k X[token][k]·W[row][k] for many tokens: what the kernels share (docs/kernels.md).
//
// A workgroup owns a tile of Y, TILE_TOKENS × TILE_ROWS (of each half of a gated unit), and walks the columns DEPTH at a time.
// Where there are too few tiles to fill the device, SPLIT divides the columns among workgroups: each leaves its sums in
// partials, [parts][tokens][partialStride], the second half of a gated unit's rows behind the first; matmul_sum does the rest.

#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint INTERLEAVE = 1;
layout(constant_id = 2) const uint TILE_TOKENS = 64;
layout(constant_id = 3) const uint TILE_ROWS = 64;
layout(constant_id = 4) const uint DEPTH = 32;   // a divisor of 64, or of splitColumns and of all columns
layout(constant_id = 5) const uint OUTPUT = 0;
layout(constant_id = 6) const uint ACTIVATION = 0;
layout(constant_id = 7) const bool BIASED = false;
layout(constant_id = 8) const bool HALF_OUTPUT = false;
layout(constant_id = 9) const bool SPLIT = false;
layout(constant_id = 10) const uint BAND = 8;    // tiles of tokens that are walked for each tile of rows

#include "buffers.glsl"
#include "weights.glsl"
#include "output.glsl"

// The kernel says as what it reads weights and inputs: WeightView, InputView.
layout(push_constant, std430) uniform Arguments
{
    WeightView weights;   // [halves · rows][runs], interleaved
    Words scales;         // f16, two a word: [halves · rows][scaleWords(runs)]
    InputView x;          // [tokens][xStride], zero or unused beyond the columns
    ResultView y;         // [tokens][yStride], f32 or f16
    ResultView partials;  // SPLIT
    Floats bias;          // BIASED: [halves · rows]
    uint rows;            // of Y
    uint runs;            // runs a row
    uint tokens;
    uint xStride;         // elements, a multiple of 64
    uint yStride;
    uint partialStride;   // a multiple of 4
    uint splitColumns;    // columns of a part; SPLIT
    float residualScale;
};

#include "matmul_output.glsl"

// The workgroup's tile of tokens and of rows: a band of tiles of tokens for each tile of rows, so that workgroups that run
// together share both weights and inputs.
uvec2 ownTile()
{
    const uint id = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint band = id / (BAND * gl_NumWorkGroups.x);
    const uint within = id % (BAND * gl_NumWorkGroups.x);
    const uint height = min(BAND, gl_NumWorkGroups.y - band * BAND);
    return uvec2(band * BAND + within % height, within / height);
}

// The columns that the workgroup sums: from the first to before the second.
uvec2 ownColumns()
{
    const uint columns = runs * RUN;
    return SPLIT ? uvec2(gl_WorkGroupID.z * splitColumns, min(columns, (gl_WorkGroupID.z + 1) * splitColumns)) : uvec2(0, columns);
}

// The row of W behind row r of Y: a group of interleaved rows has as many of either half (Model/RowLayout.cs).
uint matrixRow(uint part, uint row)
{
    if (INTERLEAVE == 1)
        return part * rows + row;
    const uint share = INTERLEAVE / HALVES;
    return row / share * INTERLEAVE + part * share + row % share;
}

// What becomes of an element's sums.
void deliver(uint token, uint row, float first, float second)
{
    if (!SPLIT)
    {
        finish(token, row, first, second);
        return;
    }
    const uint at = (gl_WorkGroupID.z * tokens + token) * partialStride + row;
    floatsOf(partials).at[at] = first;
    if (OUTPUT == OUTPUT_GLU)
        floatsOf(partials).at[at + rows] = second;
}
