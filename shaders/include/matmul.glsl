// Y[token][row] = Σ_k X[token][k]·W[row][k] for many tokens: what the kernels share (docs/kernels.md).
//
// A workgroup owns a tile of Y, TILE_TOKENS × TILE_ROWS (of each half of a gated unit), and walks the columns DEPTH at a time.
// Where there are too few tiles to fill the device, SPLIT divides the columns among workgroups: each leaves its sums in
// partials, [parts][tokens][HALVES · ⌈rows / 4⌉ · 4], and the last of a tile's adds them, always in the same order.
//
// With NORMS, what RMSNorm is needs no dispatch of its own, x̂ = x·w / √(mean(x²) + ε): the product that leaves x behind
// (NORMS_OUTPUT) leaves x·w / 16 as f16 and Σx² of each tile's rows besides, and the product that takes x̂ (NORMED_INPUT)
// takes that and scales its sums. A sixteenth, since x is not as small as x̂, and f16 ends at 65504.

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

// What workgroups of a tile leave for the last of them.
layout(buffer_reference, std430, buffer_reference_align = 4) coherent buffer PartialFloats { float at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) coherent buffer PartialVectors { vec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) coherent buffer Arrivals { uint at[]; };
#ifdef HALF_FLOATS
#define PartialView PartialVectors
#define partialFloats PartialFloats(partials)
#else
#define PartialView PartialFloats
#define partialFloats partials
#endif

// The kernel says as what it reads weights and inputs: WeightView, InputView.
layout(push_constant, std430) uniform Arguments
{
    WeightView weights;   // [halves · rows][runs], interleaved
    Words scales;         // f16, two a word: [halves · rows][scaleWords(runs)]
    InputView x;          // [tokens][xStride], zero or unused beyond the columns
    ResultView y;         // [tokens][yStride], f32 or f16
    Floats bias;          // BIASED: [halves · rows]
    PartialView partials; // SPLIT
    Arrivals arrivals;    // SPLIT: [tiles], zero
    Floats squares;       // NORMS_OUTPUT: [tokens][tiles of rows]; NORMED_INPUT: [tokens][inputTiles]
    Floats normWeight;    // NORMS_OUTPUT: [rows]
    ResultView normed;    // NORMS_OUTPUT: [tokens][yStride], f16
    Floats headSquares;   // HEADS > 0: [tokens][HEADS][inputTiles]
    uint rows;            // of Y
    uint runs;            // runs a row
    uint tokens;
    uint xStride;         // elements, a multiple of 64
    uint yStride;
    uint splitColumns;    // columns of a part; SPLIT
    uint inputTiles;      // NORMED_INPUT, HEADS > 0
    uint inputWidth;      // NORMED_INPUT: elements of x̂
    float residualScale;
    float eps;            // NORMED_INPUT
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

#ifdef NORMS
const float SHRINK = 1.0 / 16.0;
const uint TOKEN_THREADS = gl_WorkGroupSize.x > TILE_TOKENS ? gl_WorkGroupSize.x / TILE_TOKENS : 1; // that sum a token's squares
const uint LOADS = 16;                                               // of these at once

shared float inputScales[NORMED_INPUT ? TILE_TOKENS : 1];
shared float inputSquares[NORMED_INPUT ? TILE_TOKENS * TOKEN_THREADS : 1];
shared float outputSquares[NORMS_OUTPUT ? TILE_TOKENS * TILE_ROWS / 4 : 1];

// The scales of the tile's tokens, 1 / √(mean(x²) + ε), for all threads.
void loadInputScales(uint firstToken)
{
    if (!NORMED_INPUT)
        return;
    const uint lane = gl_LocalInvocationID.x % TOKEN_THREADS;
    for (uint t = gl_LocalInvocationID.x / TOKEN_THREADS; t < TILE_TOKENS; t += gl_WorkGroupSize.x / TOKEN_THREADS)
    {
        const uint at = min(firstToken + t, tokens - 1) * inputTiles;
        float sum = 0.0;
        for (uint tile = lane; tile < inputTiles; tile += LOADS * TOKEN_THREADS)
        {
            float loaded[LOADS];
            [[unroll]] for (uint n = 0; n < LOADS; n++)
                loaded[n] = squares.at[at + min(tile + n * TOKEN_THREADS, inputTiles - 1)];
            [[unroll]] for (uint n = 0; n < LOADS; n++)
                sum += tile + n * TOKEN_THREADS < inputTiles ? loaded[n] : 0.0;
        }
        inputSquares[t * TOKEN_THREADS + lane] = sum;
    }
    barrier();
    for (uint t = gl_LocalInvocationID.x; t < TILE_TOKENS; t += gl_WorkGroupSize.x)
    {
        float sum = 0.0;
        for (uint i = 0; i < TOKEN_THREADS; i++)
            sum += inputSquares[t * TOKEN_THREADS + i];
        inputScales[t] = inversesqrt(sum / float(inputWidth) + eps) / SHRINK;
    }
    barrier();
}

float inputScale(uint tileToken)
{
    return NORMED_INPUT ? inputScales[tileToken] : 1.0;
}
#else
float inputScale(uint tileToken)
{
    return 1.0;
}
#endif

// From one part and token to the next, and from a gated unit's first half to its second.
uint halfStride()
{
    return (rows + 3) / 4 * 4;
}

uint partialAt(uint part, uint token, uint row)
{
    return (part * tokens + token) * HALVES * halfStride() + row;
}

vec4 loadPartials(uint at)
{
#ifdef HALF_FLOATS
    return partials.at[at / 4];
#else
    return vec4(partials.at[at], partials.at[at + 1], partials.at[at + 2], partials.at[at + 3]);
#endif
}

// What becomes of an element's sums.
void deliver(uint firstToken, uint tileToken, uint row, float first, float second)
{
    const uint token = firstToken + tileToken;
    if (token >= tokens || row >= rows)
        return;
    if (!SPLIT)
    {
        finish(token, row, inputScale(tileToken) * first, inputScale(tileToken) * second);
        return;
    }
    const uint at = partialAt(gl_WorkGroupID.z, token, row);
    partialFloats.at[at] = first;
    if (OUTPUT == OUTPUT_GLU)
        partialFloats.at[at + halfStride()] = second;
}

shared uint earlierArrivals;

// Whether the other workgroups that share the tile have all left their part of it. Nobody waits, so that no order among them is asked for.
bool isLast()
{
    memoryBarrierBuffer();
    barrier();
    if (gl_LocalInvocationID.x == 0)
    {
        const uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
        earlierArrivals = atomicAdd(arrivals.at[tile], 1);
        if (earlierArrivals + 1 == gl_NumWorkGroups.z)
            arrivals.at[tile] = 0; // for the next product
    }
    barrier();
    memoryBarrierBuffer();
    return earlierArrivals + 1 == gl_NumWorkGroups.z;
}

// A tile from the parts of all workgroups that share it.
void finishTile(uint firstToken, uint firstRow)
{
    const uint parts = gl_NumWorkGroups.z;
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKENS * TILE_ROWS / 4; i += gl_WorkGroupSize.x)
    {
        const uint tileToken = i / (TILE_ROWS / 4);
        const uint token = firstToken + tileToken;
        const uint row = firstRow + i % (TILE_ROWS / 4) * 4;
        float sumOfSquares = 0.0;
        if (token < tokens && row < rows)
        {
            vec4 sums[2] = vec4[2](vec4(0.0), vec4(0.0));
            for (uint part = 0; part < parts; part += 4)
                [[unroll]] for (uint h = 0; h < HALVES; h++)
                {
                    vec4 loaded[4];
                    [[unroll]] for (uint n = 0; n < 4; n++)
                        loaded[n] = loadPartials(partialAt(min(part + n, parts - 1), token, row) + h * halfStride());
                    [[unroll]] for (uint n = 0; n < 4; n++)
                        sums[h] += part + n < parts ? loaded[n] : vec4(0.0);
                }
            [[unroll]] for (uint e = 0; e < 4; e++)
                if (row + e < rows)
                {
                    const float value = finish(token, row + e, inputScale(tileToken) * sums[0][e], inputScale(tileToken) * sums[1][e]);
#ifdef NORMS
                    if (NORMS_OUTPUT)
                        Halves(normed).at[token * yStride + row + e] = toHalf(SHRINK * value * normWeight.at[row + e]);
                    sumOfSquares += value * value;
#endif
                }
        }
#ifdef NORMS
        if (NORMS_OUTPUT)
            outputSquares[i] = sumOfSquares;
#endif
    }
#ifdef NORMS
    if (!NORMS_OUTPUT)
        return;
    barrier();
    for (uint t = gl_LocalInvocationID.x; t < TILE_TOKENS && firstToken + t < tokens; t += gl_WorkGroupSize.x)
    {
        float sum = 0.0;
        for (uint i = 0; i < TILE_ROWS / 4; i++)
            sum += outputSquares[t * (TILE_ROWS / 4) + i];
        squares.at[(firstToken + t) * gl_NumWorkGroups.x + firstRow / TILE_ROWS] = sum;
    }
#endif
}
