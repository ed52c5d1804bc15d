#version 460
// Y = X·Wᵀ (matmul.glsl) on matrix units as VK_NV_cooperative_matrix2 has them: f16 inputs, f32 sums. Matrices of the whole
// workgroup; how they reach the units, through shared memory and in what pieces, is the driver's. Weights that are not f16
// are unpacked by a function that it calls for each element as it loads.
//
// Only tiles at the edges of Y are loaded with tests of their bounds. The columns are padded, so that they have no edge.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require

#define HALF_FLOATS
#define InputView Quads
#define WeightView WeightBlocks
#include "buffers.glsl"

// What decode gets a pointer to: 32 weights that share a scale, or one.
#if defined(WEIGHT_F16)
#define WeightBlocks Quads
#elif defined(WEIGHT_Q8_0)
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer WeightBlocks { uint word[8]; };
#elif defined(WEIGHT_Q4_0) || defined(WEIGHT_IQ4_NL)
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer WeightBlocks { uint word[4]; };
#elif defined(WEIGHT_BF16)
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
layout(buffer_reference, std430, buffer_reference_align = 2) readonly buffer WeightBlocks { uint16_t word[1]; };
#elif defined(WEIGHT_F32)
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer WeightBlocks { float word[1]; };
#endif

#include "matmul.glsl"

layout(constant_id = 11) const uint UNROLL = 4;

#if defined(WEIGHT_F16)
#define WEIGHT_ARRAY weights.at
#define DECODE
#else
#define WEIGHT_ARRAY weights.word
#define DECODE , decode

float16_t decode(const in WeightBlocks source, const in uint block[2], const in uint within[2])
{
#ifdef SCALED
    const float16_t scale = Halves(scales).at[block[0] * 2 * scaleWords(runs) + block[1]];
    const uint i = within[1];
#endif
#if defined(WEIGHT_Q8_0)
    return scale * float16_t(bitfieldExtract(int(source.word[i / 4]), int(8 * (i % 4)), 8));
#elif defined(WEIGHT_Q4_0) || defined(WEIGHT_IQ4_NL)
    const uint code = bitfieldExtract(source.word[i % 16 / 4], int(8 * (i % 4) + i / 16 * 4), 4);
#if defined(WEIGHT_Q4_0)
    return scale * float16_t(int(code) - 8);
#else
    return scale * float16_t(codebook(uvec4(code)).x);
#endif
#elif defined(WEIGHT_BF16)
    return toHalf(uintBitsToFloat(uint(source.word[0]) << 16));
#else
    return toHalf(source.word[0]);
#endif
}
#endif

#define Sums coopmat<float, gl_ScopeWorkgroup, TILE_TOKENS, TILE_ROWS, gl_MatrixUseAccumulator>

float addBias(const in uint token, const in uint row, const in float sum, const in uint first, const in uint last)
{
    return sum + bias.at[min(first + row, last)];
}

// first, second += the products of DEPTH columns.
#define MULTIPLY(column, xLayout, wLayout) \
    { \
        coopmat<float16_t, gl_ScopeWorkgroup, TILE_TOKENS, DEPTH, gl_MatrixUseA> a; \
        coopmat<float16_t, gl_ScopeWorkgroup, DEPTH, TILE_ROWS, gl_MatrixUseB> b; \
        coopMatLoadTensorNV(a, x.at, 0, sliceTensorLayoutNV(xLayout, firstToken, TILE_TOKENS, column, DEPTH)); \
        coopMatLoadTensorNV(b, WEIGHT_ARRAY, 0, sliceTensorLayoutNV(wLayout, firstRow, TILE_ROWS, column, DEPTH), transposed DECODE); \
        first = coopMatMulAdd(a, b, first); \
        if (OUTPUT == OUTPUT_GLU) \
        { \
            coopMatLoadTensorNV(b, WEIGHT_ARRAY, 0, sliceTensorLayoutNV(wLayout, rows + firstRow, TILE_ROWS, column, DEPTH), transposed DECODE); \
            second = coopMatMulAdd(a, b, second); \
        } \
    }

void main()
{
    const uvec2 tile = ownTile();
    const uint firstToken = tile.x * TILE_TOKENS;
    const uint firstRow = tile.y * TILE_ROWS;
    const uint columns = runs * RUN;
    // What the host promises, said again where the compiler sees it: everything is aligned to quads.
    const uint xStep = xStride & ~7u;
    const uint wStep = runs * RUN & ~63u;

    tensorLayoutNV<2> xInner = createTensorLayoutNV(2);
    tensorLayoutNV<2> wInner = createTensorLayoutNV(2);
    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> xEdge = createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> wEdge = createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    tensorViewNV<2, false, 1, 0> transposed = createTensorViewNV(2, false, 1, 0);
#ifdef SCALED
    wInner = setTensorLayoutBlockSizeNV(wInner, 1, BLOCK);
    wEdge = setTensorLayoutBlockSizeNV(wEdge, 1, BLOCK);
    const uint wBlocks = wStep / BLOCK;
#else
    const uint wBlocks = wStep;
#endif
    xInner = setTensorLayoutStrideNV(setTensorLayoutDimensionNV(xInner, tokens, xStep), xStep, 1);
    xEdge = setTensorLayoutStrideNV(setTensorLayoutDimensionNV(xEdge, tokens, xStep), xStep, 1);
    wInner = setTensorLayoutStrideNV(setTensorLayoutDimensionNV(wInner, HALVES * rows, wStep), wBlocks, 1);
    wEdge = setTensorLayoutStrideNV(setTensorLayoutDimensionNV(wEdge, HALVES * rows, wStep), wBlocks, 1);

    Sums first = Sums(0.0);
    Sums second = Sums(0.0);
    if (firstToken + TILE_TOKENS <= tokens && firstRow + TILE_ROWS <= rows)
    {
        uint column = 0;
        for (; column + UNROLL * DEPTH <= columns; column += UNROLL * DEPTH)
            [[unroll]] for (uint i = 0; i < UNROLL; i++)
                MULTIPLY(column + i * DEPTH, xInner, wInner)
        for (; column < columns; column += DEPTH)
            MULTIPLY(column, xInner, wInner)
    }
    else
        for (uint column = 0; column < columns; column += DEPTH)
            MULTIPLY(column, xEdge, wEdge)

    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> out_ = createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    if (BIASED)
    {
        coopMatPerElementNV(first, first, addBias, firstRow, rows - 1);
        if (OUTPUT == OUTPUT_GLU)
            coopMatPerElementNV(second, second, addBias, rows + firstRow, 2 * rows - 1);
    }
    if (OUTPUT == OUTPUT_GLU || OUTPUT == OUTPUT_ACT)
        [[unroll]] for (uint i = 0; i < first.length(); i++)
            first[i] = activate(first[i], ACTIVATION) * (OUTPUT == OUTPUT_GLU ? second[i] : 1.0);
    out_ = setTensorLayoutStrideNV(setTensorLayoutDimensionNV(out_, tokens, rows), yStride, 1);
    if (OUTPUT == OUTPUT_ADD)
    {
        Sums residual;
        coopMatLoadTensorNV(residual, y.at, 0, sliceTensorLayoutNV(out_, firstToken, TILE_TOKENS, firstRow, TILE_ROWS));
        first = first + residualScale * residual;
    }
    if (HALF_OUTPUT)
    {
        [[unroll]] for (uint i = 0; i < first.length(); i++)
            first[i] = clamp(first[i], -HALF_MAX, HALF_MAX);
        coopmat<float16_t, gl_ScopeWorkgroup, TILE_TOKENS, TILE_ROWS, gl_MatrixUseAccumulator> rounded =
            coopmat<float16_t, gl_ScopeWorkgroup, TILE_TOKENS, TILE_ROWS, gl_MatrixUseAccumulator>(first);
        coopMatStoreTensorNV(rounded, y.at, 0, sliceTensorLayoutNV(out_, firstToken, TILE_TOKENS, firstRow, TILE_ROWS));
    }
    else
        coopMatStoreTensorNV(first, y.at, 0, sliceTensorLayoutNV(out_, firstToken, TILE_TOKENS, firstRow, TILE_ROWS));
}
