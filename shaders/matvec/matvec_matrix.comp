#version 460
// y = W·in(x) (matvec.glsl) of 2 to TOKENS tokens at once on matrix units, as VK_KHR_cooperative_matrix has them: f16 factors, f32
// sums, matrices of a subgroup, MATRIX_TOKENS × MATRIX_ROWS × MATRIX_DEPTH. All norms are part of it.
//
// It is as exact as f32 is: an input goes in as two f16, x = h + l/1024, which keep 21 bits of it, in columns of
// their own that meet again at the end. A matrix has columns to spare where tokens are few, and the units have time.
// An input that f16 cannot hold is infinite: no number comes out, which the host refuses.
//
// A subgroup streams ROWS rows (of each half) and has a slab of shared memory of its own, DEPTH columns of these and of all tokens: it
// waits for no other until its sums are done, and loads the next slab while it multiplies this one. PARTS subgroups share rows, each
// of them every PARTS-th slab, so that enough is under way where rows are few.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require

#include "chain.glsl"

#define HALF_FLOATS
#define WeightView Quads
#define InputView ChainedVectors
#define NormView Parameters
#define FloatView ChainedFloats
#define CHAINS
#include "matvec.glsl"

layout(constant_id = 14) const uint DEPTH = 64; // a divisor of 64
layout(constant_id = 15) const uint PARTS = 1;
layout(constant_id = 16) const uint MATRIX_TOKENS = 16;
layout(constant_id = 17) const uint MATRIX_ROWS = 16;
layout(constant_id = 18) const uint MATRIX_DEPTH = 16;

const uint SUBGROUPS = gl_WorkGroupSize.x / SUBGROUP; // a multiple of PARTS
const uint WORKGROUP_ROWS = SUBGROUPS / PARTS * ROWS;
const uint COLUMNS = 2 * TOKENS; // inputs of a slab: h of all tokens, then l
const float LOW = 1024.0;
const float HALF_MIN = 6.103515625e-5; // the least that is not subnormal

// A slab in quads of eight f16: inputs, then weights. A quad more than needed lies between them, against bank conflicts.
const uint STRIDE = DEPTH / 8 + 1;
const uint SLAB = (COLUMNS + HALVES * ROWS) * STRIDE;

// A lane loads eight inputs of a token at once, and a quad of weights.
const uint X_PIECES = TOKENS * DEPTH / 8;
const uint W_PIECES = HALVES * ROWS * DEPTH / RUN;
const uint OWN_X_PIECES = (X_PIECES + SUBGROUP - 1) / SUBGROUP;
const uint OWN_W_PIECES = (W_PIECES + SUBGROUP - 1) / SUBGROUP;

// Results that a thread finishes.
const uint RESULTS = WORKGROUP_ROWS * TOKENS;
const uint THREAD_RESULTS = (RESULTS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

// Matrices of sums: [halves][rows][columns] of them.
const uint ROW_MATRICES = HALVES * ROWS / MATRIX_ROWS;
const uint COLUMN_MATRICES = COLUMNS / MATRIX_TOKENS;

// Of each subgroup its slab, then in its place as floats its sums, [COLUMNS][HALVES · ROWS].
shared uvec4 slabs[SUBGROUPS * SLAB];
const uint SUM_STRIDE = HALVES * ROWS / 4;

shared float partialSquares[SUBGROUPS][X_PIECES];
shared float norms[TOKENS];

vec4 nextInputs[OWN_X_PIECES][2];
vec4 nextNorms[OWN_X_PIECES][2]; // INPUT_RMS
uvec4 nextQuads[OWN_W_PIECES];
coopmat<float, gl_ScopeSubgroup, MATRIX_TOKENS, MATRIX_ROWS, gl_MatrixUseAccumulator> sums[ROW_MATRICES * COLUMN_MATRICES];

uint firstToken = gl_WorkGroupID.y * TOKENS;
uint firstRow = gl_WorkGroupID.x * WORKGROUP_ROWS;
uint ownRow = firstRow + gl_SubgroupID / PARTS * ROWS;
uint ownSlab = gl_SubgroupID * SLAB;
uint lane = gl_SubgroupInvocationID;

// Token and vector of a slab of the lane's n-th piece of inputs.
uvec2 inputOf(uint n)
{
    const uint i = n * SUBGROUP + lane;
    return uvec2(min(i / (DEPTH / 8), TOKENS - 1), i % (DEPTH / 8) * 2);
}

vec4 loadInput(uint token, uint vector)
{
    return x.at[min(firstToken + token, tokens - 1) * xVectors + vector];
}

// Past the last column inputs are zero, and any weights will do. Weights are f16, which matrices take as they are.
void load(uint column)
{
    const bool within = column < runs * RUN;
    const uint from = within ? column : 0;
    [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
    {
        const uvec2 piece = inputOf(n);
        [[unroll]] for (uint k = 0; k < 2; k++)
        {
            const uint vector = from / 4 + piece.y + k;
            nextInputs[n][k] = within ? loadInput(piece.x, vector) : vec4(0.0);
            if (INPUT == INPUT_RMS)
                nextNorms[n][k] = normWeight.at[vector];
        }
    }
    [[unroll]] for (uint n = 0; n < OWN_W_PIECES; n++)
    {
        const uint i = min(n * SUBGROUP + lane, W_PIECES - 1);
        const uint r = i / (DEPTH / RUN);
        const uint row = r / ROWS * rows + min(ownRow + r % ROWS, rows - 1);
        nextQuads[n] = weights.at[row * runs + from / RUN + i % (DEPTH / RUN)];
    }
}

// Waits for what load() asked for and was not there.
void awaitInputs(uint column)
{
    bool waits = CHAINED;
    for (uint polls = 0; waits && polls < MOST_POLLS; polls++)
    {
        bool missing = false;
        [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
            [[unroll]] for (uint k = 0; k < 2; k++)
                if (isMissing(nextInputs[n][k]))
                {
                    const uvec2 piece = inputOf(n);
                    missing = true;
                    nextInputs[n][k] = loadInput(piece.x, column / 4 + piece.y + k);
                }
        waits = anyWaits(missing);
    }
}

// The part of four values that f16 holds: their upper bits, none of a value that is subnormal there. Bits are masked, since of a value
// that is converted back and forth compilers think that it is the value.
vec4 highOf(vec4 v)
{
    return mix(uintBitsToFloat(floatBitsToUint(v) & 0xFFFFE000u), vec4(0.0), lessThan(abs(v), vec4(HALF_MIN)));
}

uvec2 halves(vec4 v)
{
    return uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw));
}

// in(x) without the factor of INPUT_RMS, and the lane's part of Σx² for that.
void stageInputs(uint column, inout float squares[OWN_X_PIECES])
{
    [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
    {
        const uvec2 piece = inputOf(n);
        uvec2 high[2];
        uvec2 low[2];
        [[unroll]] for (uint k = 0; k < 2; k++)
        {
            vec4 v = nextInputs[n][k];
            if (INPUT == INPUT_RMS)
            {
                squares[n] += dot(v, v);
                v *= nextNorms[n][k];
            }
            else if (INPUT == INPUT_HEADS)
                v *= columnScales(piece.x, column + 4 * (piece.y + k));
            const vec4 h = highOf(v);
            high[k] = halves(h);
            low[k] = halves((v - h) * LOW);
        }
        if (X_PIECES % SUBGROUP != 0 && n * SUBGROUP + lane >= X_PIECES)
            break;
        const uint at = ownSlab + piece.x * STRIDE + piece.y / 2;
        slabs[at] = uvec4(high[0], high[1]);
        slabs[at + TOKENS * STRIDE] = uvec4(low[0], low[1]);
    }
}

void stageWeights()
{
    [[unroll]] for (uint n = 0; n < OWN_W_PIECES; n++)
    {
        const uint i = n * SUBGROUP + lane;
        if (W_PIECES % SUBGROUP != 0 && i >= W_PIECES)
            break;
        slabs[ownSlab + (COLUMNS + i / (DEPTH / RUN)) * STRIDE + i % (DEPTH / RUN)] = nextQuads[n];
    }
}

void multiply()
{
    [[unroll]] for (uint k = 0; k < DEPTH / 8; k += MATRIX_DEPTH / 8)
    {
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_TOKENS, MATRIX_DEPTH, gl_MatrixUseA> a[COLUMN_MATRICES];
        [[unroll]] for (uint c = 0; c < COLUMN_MATRICES; c++)
            coopMatLoad(a[c], slabs, ownSlab + c * MATRIX_TOKENS * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint r = 0; r < ROW_MATRICES; r++)
        {
            coopmat<float16_t, gl_ScopeSubgroup, MATRIX_DEPTH, MATRIX_ROWS, gl_MatrixUseB> b;
            coopMatLoad(b, slabs, ownSlab + (COLUMNS + r * MATRIX_ROWS) * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
            [[unroll]] for (uint c = 0; c < COLUMN_MATRICES; c++)
                sums[r * COLUMN_MATRICES + c] = coopMatMulAdd(a[c], b, sums[r * COLUMN_MATRICES + c]);
        }
    }
}

// A column's sum of the given part of a row.
float sumAt(uint part, uint h, uint column, uint row)
{
    const uint at = column * SUM_STRIDE * 4 + h * ROWS + row % ROWS;
    return uintBitsToFloat(slabs[(row / ROWS * PARTS + part) * SLAB + at / 4][at % 4]);
}

// What the parts of a row add up to.
float finishedSum(uint h, uint token, uint row)
{
    float high = 0.0;
    float low = 0.0;
    [[unroll]] for (uint p = 0; p < PARTS; p++)
    {
        high += sumAt(p, h, token, row);
        low += sumAt(p, h, TOKENS + token, row);
    }
    return high + low / LOW;
}

// INPUT_RMS: the factor of each token; its pieces lie one after the other.
void finishNorms()
{
    for (uint token = gl_LocalInvocationID.x; token < TOKENS; token += gl_WorkGroupSize.x)
    {
        float squares = 0.0;
        for (uint p = 0; p < PARTS; p++)
            for (uint i = 0; i < DEPTH / 8; i++)
                squares += partialSquares[p][token * (DEPTH / 8) + i];
        norms[token] = rmsScale(squares);
    }
}

void main()
{
    const uint first = gl_SubgroupID % PARTS * DEPTH;
    load(first);
    prepareInput(firstToken);
    [[unroll]] for (uint i = 0; i < ROW_MATRICES * COLUMN_MATRICES; i++)
        sums[i] = coopmat<float, gl_ScopeSubgroup, MATRIX_TOKENS, MATRIX_ROWS, gl_MatrixUseAccumulator>(0.0);
    float squares[OWN_X_PIECES];
    [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
        squares[n] = 0.0;

    // As many turns for every subgroup, whatever its part.
    for (uint turn = 0; turn < runs * RUN; turn += PARTS * DEPTH)
    {
        awaitInputs(first + turn);
        stageInputs(first + turn, squares);
        stageWeights();
        subgroupBarrier();
        if (turn + PARTS * DEPTH < runs * RUN)
            load(first + turn + PARTS * DEPTH);
        multiply();
        subgroupBarrier();
    }

    float before[THREAD_RESULTS];
    [[unroll]] for (uint i = 0; i < THREAD_RESULTS; i++)
    {
        const uint result = min(i * gl_WorkGroupSize.x + gl_LocalInvocationID.x, RESULTS - 1);
        before[i] = residualOf(min(firstToken + result / WORKGROUP_ROWS, tokens - 1), min(firstRow + result % WORKGROUP_ROWS, rows - 1));
    }
    [[unroll]] for (uint r = 0; r < ROW_MATRICES; r++)
        [[unroll]] for (uint c = 0; c < COLUMN_MATRICES; c++)
            coopMatStore(sums[r * COLUMN_MATRICES + c], slabs, ownSlab + c * MATRIX_TOKENS * SUM_STRIDE + r * MATRIX_ROWS / 4, SUM_STRIDE, gl_CooperativeMatrixLayoutRowMajor);
    if (INPUT == INPUT_RMS)
    {
        [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
            if (n * SUBGROUP + lane < X_PIECES)
                partialSquares[gl_SubgroupID][n * SUBGROUP + lane] = squares[n];
        barrier();
        finishNorms();
    }
    barrier();
    [[unroll]] for (uint i = 0; i < THREAD_RESULTS; i++)
    {
        const uint result = i * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        const uint token = result / WORKGROUP_ROWS;
        const uint row = result % WORKGROUP_ROWS;
        if (result >= RESULTS || firstToken + token >= tokens || firstRow + row >= rows)
            continue;
        const float norm = INPUT == INPUT_RMS ? norms[token] : 1.0;
        storeRow(firstToken + token, firstRow + row, norm * finishedSum(0, token, row), norm * finishedSum(HALVES - 1, token, row), before[i]);
    }
}
