#version 460
// y = W·in(x) (matvec.glsl) for GPUs: a subgroup owns ROWS rows (of each half). Its lanes stride over the runs of a
// row, so that a load of the subgroup is one contiguous piece of it, 16 bytes a lane, and x, loaded once, serves all
// its rows from registers.

#extension GL_GOOGLE_include_directive : require

#define WeightView Quads
#define InputView Vectors
#define NormView Vectors
#define FloatView Floats
#include "matvec.glsl"

// The four inputs of vector i of a token, and their part of Σx² where the norm wants it.
vec4 inputVector(uint token, uint i, inout float squares)
{
    vec4 v = x.at[token * xVectors + i];
    if (INPUT == INPUT_RMS)
    {
        squares += dot(v, v);
        v *= normWeight.at[i];
    }
    else if (INPUT == INPUT_HEADS)
        v *= columnScales(token % TOKENS, 4 * i);
    return v;
}

void main()
{
    const uint firstToken = gl_WorkGroupID.y * TOKENS;
    prepareInput(firstToken);
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    for (uint first = subgroup * ROWS; first < rows; first += subgroups * ROWS)
    {
        float sums[TOKENS][HALVES][ROWS];
        float squares[TOKENS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            squares[t] = 0.0;
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    sums[t][h][r] = 0.0;
        }

        for (uint run = gl_SubgroupInvocationID; run < runs; run += gl_SubgroupSize)
        {
            uvec4 quads[HALVES][ROWS];
            float scale[HALVES][ROWS];
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                {
                    const uint row = h * rows + min(first + r, rows - 1);
                    const uint block = run * RUN / BLOCK;
                    quads[h][r] = weights.at[quadAt(rowStart(row, runs), run)];
                    scale[h][r] = blockScale(loadScales(scales, row, runs, block), block);
                }
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
            {
                vec4 v[RUN_VECTORS];
                [[unroll]] for (uint i = 0; i < RUN_VECTORS; i++)
                    v[i] = inputVector(min(firstToken + t, tokens - 1), run * RUN_VECTORS + i, squares[t]);
                [[unroll]] for (uint h = 0; h < HALVES; h++)
                    [[unroll]] for (uint r = 0; r < ROWS; r++)
                    {
                        vec4 w[RUN_VECTORS];
                        unpackRun(quads[h][r], w);
                        sums[t][h][r] = fma(scale[h][r], runProduct(w, v), sums[t][h][r]);
                    }
            }
        }

        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            const float norm = INPUT == INPUT_RMS ? rmsScale(subgroupAdd(squares[t])) : 1.0;
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                const float sum = subgroupAdd(sums[t][0][r]) * norm;
                const float second = OUTPUT == OUTPUT_GLU ? subgroupAdd(sums[t][HALVES - 1][r]) * norm : 0.0;
                if (subgroupElect() && first + r < rows && firstToken + t < tokens)
                    storeRow(firstToken + t, first + r, sum, second, residualOf(firstToken + t, first + r));
            }
        }
    }
}
