#version 460
// Y = X·Wᵀ (matmul.glsl) on matrix units as VK_KHR_cooperative_matrix has them: f16 inputs, f32 sums. Matrices of a subgroup,
// MATRIX_TOKENS × MATRIX_ROWS × MATRIX_DEPTH, one of the sizes that the device lists.
//
// Tiles of X and of the unpacked W meet in shared memory as f16; the quads of the next tiles are loaded into registers before
// this one's are multiplied. Subgroups stand WAVES_TOKENS × WAVES_ROWS over the workgroup's tile.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_shader_subgroup_basic : require

#define HALF_FLOATS
#define WeightView Quads
#define InputView Quads
#define NORMS
layout(constant_id = 16) const bool NORMED_INPUT = false;
layout(constant_id = 17) const bool NORMS_OUTPUT = false; // with OUTPUT_ADD and SPLIT
#define CHAINS
layout(constant_id = 20) const bool CHAINED = false;
#include "chain.glsl"
#include "matmul.glsl"

layout(constant_id = 11) const uint SUBGROUP = 32;
layout(constant_id = 12) const uint WAVES_TOKENS = 2;
layout(constant_id = 13) const uint MATRIX_TOKENS = 16;
layout(constant_id = 14) const uint MATRIX_ROWS = 16;
layout(constant_id = 15) const uint MATRIX_DEPTH = 16;
layout(constant_id = 18) const uint HEADS = 0;     // HEADS > 0: x is what retention leaves of so many heads (retention.glsl), and their norm is still to do
layout(constant_id = 19) const uint HEAD_SIZE = 1; // columns of a head, a multiple of DEPTH

const uint SUBGROUPS = gl_WorkGroupSize.x / SUBGROUP;
const uint WAVES_ROWS = SUBGROUPS / WAVES_TOKENS;
const uint OWN_TOKENS = TILE_TOKENS / (WAVES_TOKENS * MATRIX_TOKENS); // matrices of a subgroup
const uint OWN_ROWS = TILE_ROWS / (WAVES_ROWS * MATRIX_ROWS);

// Quads of eight f16 from one token or row of a tile to the next; one more than needed, against bank conflicts.
const uint STRIDE = DEPTH / 8 + 1;

// A piece of W is what a thread loads and unpacks at once: a quad, or the two of f32 that make a quad of f16.
const uint PIECE = RUN < 8 ? 8 : RUN;
const uint PIECE_QUADS = PIECE / RUN;
const uint X_PIECES = TILE_TOKENS * DEPTH / 8;
const uint W_PIECES = HALVES * TILE_ROWS * DEPTH / PIECE;
const uint OWN_X_PIECES = (X_PIECES + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint OWN_W_PIECES = (W_PIECES + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

shared uvec4 xs[TILE_TOKENS * STRIDE];
shared uvec4 ws[HALVES * TILE_ROWS * STRIDE];

// First the scales of heads, 1 / √(mean(o²) + ε_n), [HEADS][TILE_TOKENS], then matrices on their way out.
const uint STAGED = SUBGROUPS * MATRIX_TOKENS * MATRIX_ROWS;
shared float staged[TILE_TOKENS * HEADS > STAGED ? TILE_TOKENS * HEADS : STAGED];

uvec4 xPieces[OWN_X_PIECES];
uvec4 wPieces[OWN_W_PIECES][PIECE_QUADS];
float wScales[OWN_W_PIECES];

void load(uint firstToken, uint firstRow, uint column)
{
    [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
    {
        const uint i = min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, X_PIECES - 1);
        const uint token = min(firstToken + i / (DEPTH / 8), tokens - 1);
        xPieces[n] = x.at[token * (xStride / 8) + column / 8 + i % (DEPTH / 8)];
    }
    [[unroll]] for (uint n = 0; n < OWN_W_PIECES; n++)
    {
        const uint i = min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, W_PIECES - 1);
        const uint row = i / (DEPTH / PIECE);
        const uint source = matrixRow(row / TILE_ROWS, min(firstRow + row % TILE_ROWS, rows - 1));
        const uint run = column / RUN + i % (DEPTH / PIECE) * PIECE_QUADS;
        const uint block = run * RUN / BLOCK;
        wScales[n] = blockScale(loadScales(scales, source, runs, block), block);
        [[unroll]] for (uint q = 0; q < PIECE_QUADS; q++)
            wPieces[n][q] = weights.at[quadAt(rowStart(source, runs), run + q)];
    }
}

// Eight weights as f16.
uvec4 halves(vec4 a, vec4 b)
{
    a = clamp(a, -HALF_MAX, HALF_MAX);
    b = clamp(b, -HALF_MAX, HALF_MAX);
    return uvec4(packFloat2x16(f16vec2(a.xy)), packFloat2x16(f16vec2(a.zw)), packFloat2x16(f16vec2(b.xy)), packFloat2x16(f16vec2(b.zw)));
}

// The scales of the heads that the columns belong to. Their padding belongs to the last one.
void loadHeadScales(uint firstToken, uvec2 columns)
{
    if (HEADS == 0)
        return;
    const uint first = min(columns.x / HEAD_SIZE, HEADS - 1);
    const uint count = min((columns.y - 1) / HEAD_SIZE, HEADS - 1) - first + 1;
    for (uint i = gl_LocalInvocationID.x; i < TILE_TOKENS * count; i += gl_WorkGroupSize.x)
    {
        const uint head = first + i % count;
        const uint at = (min(firstToken + i / count, tokens - 1) * HEADS + head) * inputTiles;
        float sum = 0.0;
        for (uint tile = 0; tile < inputTiles; tile += 8)
        {
            float loaded[8];
            [[unroll]] for (uint n = 0; n < 8; n++)
                loaded[n] = headSquares.at[at + min(tile + n, inputTiles - 1)];
            [[unroll]] for (uint n = 0; n < 8; n++)
                sum += tile + n < inputTiles ? loaded[n] : 0.0;
        }
        staged[head * TILE_TOKENS + i / count] = inversesqrt(sum / float(HEAD_SIZE));
    }
}

void stage()
{
    [[unroll]] for (uint n = 0; n < OWN_X_PIECES; n++)
    {
        const uint i = n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (X_PIECES % gl_WorkGroupSize.x == 0 || i < X_PIECES)
            xs[i / (DEPTH / 8) * STRIDE + i % (DEPTH / 8)] = xPieces[n];
    }
    [[unroll]] for (uint n = 0; n < OWN_W_PIECES; n++)
    {
        const uint i = n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (W_PIECES % gl_WorkGroupSize.x != 0 && i >= W_PIECES)
            break;
        const uint at = i / (DEPTH / PIECE) * STRIDE + i % (DEPTH / PIECE) * (PIECE / 8);
#if defined(WEIGHT_F16)
        ws[at] = wPieces[n][0];
#elif defined(WEIGHT_F32)
        ws[at] = halves(uintBitsToFloat(wPieces[n][0]), uintBitsToFloat(wPieces[n][1]));
#else
        vec4 w[RUN_VECTORS];
        unpackRun(wPieces[n][0], w);
        [[unroll]] for (uint q = 0; q < RUN / 8; q++)
            ws[at + q] = halves(wScales[n] * w[2 * q], wScales[n] * w[2 * q + 1]);
#endif
    }
}

#define SumMatrix coopmat<float, gl_ScopeSubgroup, MATRIX_TOKENS, MATRIX_ROWS, gl_MatrixUseAccumulator>
SumMatrix sums[HALVES * OWN_TOKENS * OWN_ROWS];
SumMatrix headSums[HEADS > 0 ? HALVES * OWN_TOKENS * OWN_ROWS : 1]; // of the heads before

void multiply(uint token, uint row)
{
    [[unroll]] for (uint k = 0; k < DEPTH / 8; k += MATRIX_DEPTH / 8)
    {
        coopmat<float16_t, gl_ScopeSubgroup, MATRIX_TOKENS, MATRIX_DEPTH, gl_MatrixUseA> a[OWN_TOKENS];
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++)
            coopMatLoad(a[t], xs, (token + t * MATRIX_TOKENS) * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint h = 0; h < HALVES; h++)
            [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
            {
                coopmat<float16_t, gl_ScopeSubgroup, MATRIX_DEPTH, MATRIX_ROWS, gl_MatrixUseB> b;
                coopMatLoad(b, ws, (h * TILE_ROWS + row + r * MATRIX_ROWS) * STRIDE + k, STRIDE, gl_CooperativeMatrixLayoutColumnMajor);
                [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++)
                    sums[(h * OWN_TOKENS + t) * OWN_ROWS + r] = coopMatMulAdd(a[t], b, sums[(h * OWN_TOKENS + t) * OWN_ROWS + r]);
            }
    }
}

// Scales the sums of a head, now that it has ended, by a matrix whose columns are all the tokens' scales.
void endHead(uint head, uint token)
{
    [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++)
    {
        SumMatrix scale;
        coopMatLoad(scale, staged, head * TILE_TOKENS + token + t * MATRIX_TOKENS, 0, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
        {
            headSums[t * OWN_ROWS + r] += scale * sums[t * OWN_ROWS + r];
            sums[t * OWN_ROWS + r] = SumMatrix(0.0);
        }
    }
}

// Matrices through shared memory, since who holds which of their elements is the device's secret.
void deliverMatrix(uint firstToken, uint tileToken, uint firstRow, uint t, uint r)
{
    const uint own = gl_SubgroupID * MATRIX_TOKENS * MATRIX_ROWS;
    const uint elements = (MATRIX_TOKENS * MATRIX_ROWS + SUBGROUP - 1) / SUBGROUP;
    float first[elements];
    [[unroll]] for (uint h = 0; h < HALVES; h++)
    {
        coopMatStore(sums[(h * OWN_TOKENS + t) * OWN_ROWS + r], staged, own, MATRIX_ROWS, gl_CooperativeMatrixLayoutRowMajor);
        subgroupBarrier();
        [[unroll]] for (uint n = 0; n < elements; n++)
        {
            const uint i = n * SUBGROUP + gl_SubgroupInvocationID;
            const float sum = staged[own + i];
            if (h + 1 < HALVES)
                first[n] = sum;
            else
                deliver(firstToken, tileToken + t * MATRIX_TOKENS + i / MATRIX_ROWS, firstRow + r * MATRIX_ROWS + i % MATRIX_ROWS, OUTPUT == OUTPUT_GLU ? first[n] : sum, sum);
        }
        subgroupBarrier();
    }
}

void main()
{
    const uvec2 tile = ownTile();
    const uint firstToken = tile.x * TILE_TOKENS;
    const uint firstRow = tile.y * TILE_ROWS;
    const uint token = gl_SubgroupID % WAVES_TOKENS * OWN_TOKENS * MATRIX_TOKENS;
    const uint row = gl_SubgroupID / WAVES_TOKENS * OWN_ROWS * MATRIX_ROWS;
    [[unroll]] for (uint i = 0; i < HALVES * OWN_TOKENS * OWN_ROWS; i++)
    {
        sums[i] = SumMatrix(0.0);
        if (HEADS > 0)
            headSums[i] = SumMatrix(0.0);
    }

    const uvec2 columns = ownColumns();
    load(firstToken, firstRow, columns.x);
    loadInputScales(firstToken);
    loadHeadScales(firstToken, columns);
    for (uint column = columns.x; column < columns.y; column += DEPTH)
    {
        barrier();
        stage();
        barrier();
        if (column + DEPTH < columns.y)
            load(firstToken, firstRow, column + DEPTH);
        multiply(token, row);
        if (HEADS > 0 && ((column + DEPTH) % HEAD_SIZE == 0 || column + DEPTH >= columns.y))
            endHead(min(column / HEAD_SIZE, HEADS - 1), token);
    }
    if (HEADS > 0)
    {
        barrier(); // matrices take the place of scales
        [[unroll]] for (uint i = 0; i < OWN_TOKENS * OWN_ROWS; i++)
            sums[i] = headSums[i];
    }

    [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++)
        [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
            deliverMatrix(firstToken, token, firstRow + row, t, r);
    if (SPLIT && isLast())
        finishTile(firstToken, firstRow);
}
