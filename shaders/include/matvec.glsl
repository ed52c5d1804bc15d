// y = W·in(x), the product that everything is made of: what its kernels share. One x, or several of a batch or of
// a sequence's tokens: TOKENS of them share each weight that is loaded and unpacked.
//
//   in(x)  INPUT_PLAIN  x
//          INPUT_RMS    x · w / √(mean(x²) + ε)      pre-norm; the mean is gathered while x passes by
//          INPUT_HEADS  x_h / √(mean(o_h²) + ε_h)    head norm of retention; the retention kernel left Σo² behind
//   y      OUTPUT_STORE W·in(x)
//          OUTPUT_ADD   α·r + W·in(x)                residual
//          OUTPUT_GLU   act(W₁·in(x)) · (W₂·in(x))   W = [W₁; W₂], rows of both halves together
//          OUTPUT_ACT   act(W·in(x))
//   BIASED adds b to W·in(x).

#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint SUBGROUP = 32;
layout(constant_id = 2) const uint INTERLEAVE = 1;
layout(constant_id = 3) const uint ROWS = 1;

#include "buffers.glsl"
#include "weights.glsl"
#include "activation.glsl"

const uint INPUT_PLAIN = 0;
const uint INPUT_RMS = 1;
const uint INPUT_HEADS = 2;
const uint OUTPUT_STORE = 0;
const uint OUTPUT_ADD = 1;
const uint OUTPUT_GLU = 2;
const uint OUTPUT_ACT = 3;

layout(constant_id = 4) const uint INPUT = INPUT_PLAIN;
layout(constant_id = 5) const uint OUTPUT = OUTPUT_STORE;
layout(constant_id = 6) const uint ACTIVATION = ACTIVATION_SILU;
layout(constant_id = 7) const uint HEADS = 1;
layout(constant_id = 8) const uint HEAD_SIZE = 4;
layout(constant_id = 9) const uint TOKENS = 1;
layout(constant_id = 10) const bool BIASED = false;
#ifdef CHAINS // the kernel can be part of a chain (chain.glsl)
layout(constant_id = 13) const bool CHAINED = false;
#endif

const uint HALVES = OUTPUT == OUTPUT_GLU ? 2 : 1;

// The kernel says as what it reads weights, inputs, the norm's weight and single floats: WeightView, InputView, NormView, FloatView.
layout(push_constant, std430) uniform Arguments
{
    WeightView weights;   // [HALVES · rows][runs], interleaved
    Words scales;         // f16, two a word: [HALVES · rows][scaleWords(runs)]
    InputView x;          // [tokens][xVectors], zero from `columns` to a multiple of 64
    NormView normWeight;  // INPUT_RMS: likewise
    FloatView headSquares;  // INPUT_HEADS: [tokens][HEADS][headTiles], Σo² of each tile
    FloatView y;          // [tokens][yStride]
    FloatView residual;   // OUTPUT_ADD: what is added to, likewise; y itself or another
    Floats bias;          // BIASED: [HALVES · rows]
    uint rows;
    uint runs;            // runs a row
    uint columns;
    uint tokens;
    uint xVectors;        // vectors of four from one x to the next
    uint yStride;
    uint headTiles;
    float eps;            // INPUT_RMS
    float residualScale;
};

shared float headScale[TOKENS * HEADS];

// 1/√(mean(o²) + ε) of every head of TOKENS tokens, from what the retention kernel's tiles left behind.
void prepareInput(uint firstToken)
{
    if (INPUT != INPUT_HEADS)
        return;
    for (uint h = gl_LocalInvocationID.x; h < TOKENS * HEADS; h += gl_WorkGroupSize.x)
    {
        const uint head = min(firstToken + h / HEADS, tokens - 1) * HEADS + h % HEADS;
        float squares = 0.0;
        for (uint t = 0; t < headTiles; t++)
        {
            float tile = headSquares.at[head * headTiles + t];
#ifdef CHAINS
            for (uint polls = 0; CHAINED && isMissing(tile) && polls < MOST_POLLS; polls++)
                tile = headSquares.at[head * headTiles + t];
#endif
            squares += tile;
        }
        headScale[h] = inversesqrt(squares / float(HEAD_SIZE));
    }
    barrier();
}

// Head norm of a column of the given one of TOKENS tokens; past the last column x is zero and any head will do.
float columnScale(uint token, uint column)
{
    return headScale[token * HEADS + min(column / HEAD_SIZE, HEADS - 1)];
}

// Likewise of four columns that lie together.
vec4 columnScales(uint token, uint column)
{
    if (HEAD_SIZE % 4 == 0)
        return vec4(columnScale(token, column));
    return vec4(columnScale(token, column), columnScale(token, column + 1), columnScale(token, column + 2), columnScale(token, column + 3));
}

// What INPUT_RMS multiplies a finished sum with, from Σx² over all columns.
float rmsScale(float squares)
{
    return inversesqrt(squares / float(columns) + eps);
}

// What OUTPUT_ADD adds to.
float residualOf(uint token, uint row)
{
    return OUTPUT == OUTPUT_ADD ? residual.at[token * yStride + row] : 0.0;
}

// Finishes a row from the sums of its halves and what it is added to.
void storeRow(uint token, uint row, float first, float second, float residual)
{
    const uint at = token * yStride + row;
    if (BIASED)
    {
        first += bias.at[row];
        if (OUTPUT == OUTPUT_GLU)
            second += bias.at[rows + row];
    }
    float value = OUTPUT == OUTPUT_GLU || OUTPUT == OUTPUT_ACT ? activate(first, ACTIVATION) : first;
    if (OUTPUT == OUTPUT_GLU)
        value *= second;
    if (OUTPUT == OUTPUT_ADD)
        value += residualScale * residual;
    y.at[at] = value;
}
