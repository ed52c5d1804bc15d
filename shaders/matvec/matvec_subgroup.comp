#version 460
// y = W·in(x) (matvec.glsl) for GPUs: a subgroup owns ROWS rows (of each half). Its lanes stride over the runs of a
// row, so that a load of the subgroup is one contiguous piece of it, 16 bytes a lane, and x, loaded once, serves all
// its rows from registers.

#extension GL_GOOGLE_include_directive : require

#define WeightView Quads
#define InputView Vectors
#include "matvec.glsl"

// The four inputs of vector i, and their part of Σx² where the norm wants it.
vec4 inputVector(uint i, inout float squares)
{
    vec4 v = x.at[i];
    if (INPUT == INPUT_RMS)
    {
        squares += dot(v, v);
        v *= normWeight.at[i];
    }
    else if (INPUT == INPUT_HEADS)
    {
        if (HEAD_SIZE % 4 == 0)
            v *= columnScale(4 * i);
        else
            [[unroll]] for (uint e = 0; e < 4; e++)
                v[e] *= columnScale(4 * i + e);
    }
    return v;
}

void main()
{
    prepareInput();
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    for (uint first = subgroup * ROWS; first < rows; first += subgroups * ROWS)
    {
        float sums[HALVES][ROWS];
        [[unroll]] for (uint h = 0; h < HALVES; h++)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                sums[h][r] = 0.0;
        float squares = 0.0;

        for (uint run = gl_SubgroupInvocationID; run < runs; run += gl_SubgroupSize)
        {
            vec4 v[RUN_VECTORS];
            [[unroll]] for (uint i = 0; i < RUN_VECTORS; i++)
                v[i] = inputVector(run * RUN_VECTORS + i, squares);
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                {
                    const uint row = h * rows + min(first + r, rows - 1);
                    const uint block = run * RUN / BLOCK;
                    const float scale = blockScale(loadScales(scales, row, runs, block), block);
                    sums[h][r] = fma(scale, runProduct(weights.at[quadAt(rowStart(row, runs), run)], v), sums[h][r]);
                }
        }

        const float norm = INPUT == INPUT_RMS ? rmsScale(subgroupAdd(squares)) : 1.0;
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            const float sum = subgroupAdd(sums[0][r]) * norm;
            const float second = OUTPUT == OUTPUT_GLU ? subgroupAdd(sums[HALVES - 1][r]) * norm : 0.0;
            if (subgroupElect() && first + r < rows)
                storeRow(first + r, sum, second);
        }
    }
}
