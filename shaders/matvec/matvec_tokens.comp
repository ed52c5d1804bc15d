#version 460
// y = W·in(x) (matvec.glsl) of 2 to TOKENS tokens at once for GPUs, where memory is still the limit: exact in f32, and all norms
// are part of it. A subgroup takes ROWS rows (of each half), so that an input that is read serves all of them and a weight that is
// unpacked all tokens. Its lanes stride over the quads of the rows, a chunk of SUBGROUP quads of each at a time; PARTS subgroups
// share the chunks of their rows where there are not rows enough for all.
//
// The inputs of all tokens do not fit shared memory; they pass through it in pieces of STAGED chunks, normalised but for the factor
// of INPUT_RMS, which is known at the end. Weights of the next chunk and inputs of the next piece are asked for before
// the multiplications: the first weights before anything else.

#extension GL_GOOGLE_include_directive : require

#include "chain.glsl"

#define WeightView Quads
#define InputView ChainedVectors
#define NormView Parameters
#define FloatView ChainedFloats
#define CHAINS
#include "matvec.glsl"

layout(constant_id = 14) const uint STAGED = 1; // chunks of a piece, a multiple of PARTS
layout(constant_id = 15) const uint PARTS = 1;  // subgroups that share rows

const uint SUBGROUPS = gl_WorkGroupSize.x / SUBGROUP; // a multiple of TOKENS and of PARTS
const uint WORKGROUP_ROWS = SUBGROUPS / PARTS * ROWS;
const uint PIECE_RUNS = STAGED * SUBGROUP;
const uint PIECE_VECTORS = PIECE_RUNS * RUN_VECTORS;

// Subgroups s, s + TOKENS, … stage the inputs of token s.
const uint STAGERS = SUBGROUPS / TOKENS * SUBGROUP;
const uint THREAD_VECTORS = (PIECE_VECTORS + STAGERS - 1) / STAGERS;

// Results that a thread finishes.
const uint RESULTS = WORKGROUP_ROWS * TOKENS;
const uint THREAD_RESULTS = (RESULTS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

// Vectors that lanes read at the same time lie side by side.
shared vec4 inputs[RUN_VECTORS][TOKENS][PIECE_RUNS];
shared float partialSums[HALVES][TOKENS][ROWS][SUBGROUPS];
shared float partialSquares[SUBGROUPS];

uvec4 nextQuads[HALVES][ROWS];
uint nextScales[HALVES][ROWS];
vec4 nextInputs[THREAD_VECTORS];

uint firstToken = gl_WorkGroupID.y * TOKENS;
uint firstRow = gl_WorkGroupID.x * WORKGROUP_ROWS;
uint part = gl_SubgroupID % PARTS;
uint stagedToken = gl_SubgroupID % TOKENS;
uint stager = gl_SubgroupID / TOKENS * SUBGROUP + gl_SubgroupInvocationID;

// Past the last run another one will do: its inputs are zero.
uint runOf(uint chunk)
{
    return min(chunk * SUBGROUP + gl_SubgroupInvocationID, runs - 1);
}

void loadWeights(uint chunk)
{
    const uint first = firstRow + gl_SubgroupID / PARTS * ROWS;
    const uint run = runOf(chunk);
    [[unroll]] for (uint h = 0; h < HALVES; h++)
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            const uint row = h * rows + min(first + r, rows - 1);
            nextQuads[h][r] = weights.at[row * runs + run];
            nextScales[h][r] = loadScales(scales, row, runs, run * RUN / BLOCK);
        }
}

// The thread's i-th vector of a piece; past the last one another will do.
uint vectorOf(uint piece, uint i)
{
    return min(piece * PIECE_VECTORS + i * STAGERS + stager, runs * RUN_VECTORS - 1);
}

vec4 loadInput(uint piece, uint i)
{
    return x.at[min(firstToken + stagedToken, tokens - 1) * xVectors + vectorOf(piece, i)];
}

void loadInputs(uint piece)
{
    [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
        nextInputs[i] = loadInput(piece, i);
}

// Waits for what loadInputs() asked for and was not there.
void awaitInputs(uint piece)
{
    bool waits = CHAINED;
    for (uint polls = 0; waits && polls < MOST_POLLS; polls++)
    {
        bool missing = false;
        [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
            if (isMissing(nextInputs[i]))
            {
                missing = true;
                nextInputs[i] = loadInput(piece, i);
            }
        waits = anyWaits(missing);
    }
}

// in(x) of a piece, whose inputs have been asked for, without the factor of INPUT_RMS; the thread's part of Σx² for that.
void stageInputs(uint piece, inout float squares)
{
    vec4 norms[THREAD_VECTORS];
    [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
        norms[i] = INPUT == INPUT_RMS ? normWeight.at[vectorOf(piece, i)] : vec4(1.0);
    awaitInputs(piece);
    barrier(); // the piece before has been used
    [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
    {
        const uint staged = i * STAGERS + stager;
        const uint vector = piece * PIECE_VECTORS + staged;
        vec4 v = nextInputs[i];
        if (vector >= runs * RUN_VECTORS || staged >= PIECE_VECTORS)
            v = vec4(0.0);
        if (INPUT == INPUT_RMS)
        {
            squares += dot(v, v);
            v *= norms[i];
        }
        else if (INPUT == INPUT_HEADS)
            v *= columnScales(stagedToken, 4 * vector);
        if (staged < PIECE_VECTORS)
            inputs[staged % RUN_VECTORS][stagedToken][staged / RUN_VECTORS] = v;
    }
    barrier();
}

// Adds the products of a chunk's quads with the inputs of all tokens; the chunk is the given one of its piece.
void multiply(uvec4 quads[HALVES][ROWS], float scale[HALVES][ROWS], uint staged, inout float sums[HALVES][ROWS][TOKENS])
{
    [[unroll]] for (uint k = 0; k < RUN_VECTORS; k++)
    {
        vec4 w[HALVES][ROWS];
        [[unroll]] for (uint h = 0; h < HALVES; h++)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                w[h][r] = scale[h][r] * unpackVector(quads[h][r], k);
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            const vec4 v = inputs[k][t][staged * SUBGROUP + gl_SubgroupInvocationID];
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    [[unroll]] for (uint e = 0; e < 4; e++)
                        sums[h][r][t] = fma(w[h][r][e], v[e], sums[h][r][t]);
        }
    }
}

// What the parts of a row add up to.
float finishedSum(uint h, uint token, uint row)
{
    float sum = 0.0;
    [[unroll]] for (uint p = 0; p < PARTS; p++)
        sum += partialSums[h][token][row % ROWS][row / ROWS * PARTS + p];
    return sum;
}

float finishedNorm(uint token)
{
    if (INPUT != INPUT_RMS)
        return 1.0;
    float squares = 0.0;
    [[unroll]] for (uint s = 0; s < SUBGROUPS; s += TOKENS)
        squares += partialSquares[s + token];
    return rmsScale(squares);
}

void main()
{
    loadWeights(part);
    loadInputs(0);
    prepareInput(firstToken);

    float sums[HALVES][ROWS][TOKENS];
    [[unroll]] for (uint h = 0; h < HALVES; h++)
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                sums[h][r][t] = 0.0;
    float squares = 0.0;
    const uint pieces = (runs + PIECE_RUNS - 1) / PIECE_RUNS;
    for (uint piece = 0; piece < pieces; piece++)
    {
        stageInputs(piece, squares);
        if (piece + 1 < pieces)
            loadInputs(piece + 1);
        for (uint staged = part; staged < STAGED; staged += PARTS)
        {
            const uint chunk = piece * STAGED + staged;
            if (chunk * SUBGROUP >= runs)
                break;
            uvec4 quads[HALVES][ROWS];
            float scale[HALVES][ROWS];
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                {
                    quads[h][r] = nextQuads[h][r];
                    scale[h][r] = blockScale(nextScales[h][r], runOf(chunk) * RUN / BLOCK);
                }
            if ((chunk + PARTS) * SUBGROUP < runs)
                loadWeights(chunk + PARTS);
            multiply(quads, scale, staged, sums);
        }
    }

    float before[THREAD_RESULTS];
    [[unroll]] for (uint i = 0; i < THREAD_RESULTS; i++)
    {
        const uint result = min(i * gl_WorkGroupSize.x + gl_LocalInvocationID.x, RESULTS - 1);
        before[i] = residualOf(min(firstToken + result / WORKGROUP_ROWS, tokens - 1), min(firstRow + result % WORKGROUP_ROWS, rows - 1));
    }
    [[unroll]] for (uint h = 0; h < HALVES; h++)
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                const float sum = subgroupAdd(sums[h][r][t]);
                if (subgroupElect())
                    partialSums[h][t][r][gl_SubgroupID] = sum;
            }
    squares = subgroupAdd(squares);
    if (subgroupElect())
        partialSquares[gl_SubgroupID] = squares;
    barrier();
    [[unroll]] for (uint i = 0; i < THREAD_RESULTS; i++)
    {
        const uint result = i * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        const uint token = result / WORKGROUP_ROWS;
        const uint row = result % WORKGROUP_ROWS;
        if (result >= RESULTS || firstToken + token >= tokens || firstRow + row >= rows)
            continue;
        const float norm = finishedNorm(token);
        storeRow(firstToken + token, firstRow + row, norm * finishedSum(0, token, row), norm * finishedSum(HALVES - 1, token, row), before[i]);
    }
}
