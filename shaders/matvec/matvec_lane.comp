#version 460
// y = W·in(x) (matvec.glsl) for processors: a lane owns ROWS rows (of each half), so nothing is summed across lanes.
//
// A software driver runs a subgroup as one vector of the processor and every load of it word by word, lane by lane.
// Loads are what costs: so they are 64 bits wide, two scales come at once, and an input is loaded once a subgroup, by
// one lane, from which a broadcast takes it to the others.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#define WeightView LongQuads
#define InputView LongQuads
#include "matvec.glsl"

// Columns that a turn of the loop takes: at least four inputs a lane, and the blocks of a whole word of scales.
const uint CHUNK = 4 * SUBGROUP > 2 * BLOCK ? 4 * SUBGROUP : 2 * BLOCK;
const uint CHUNK_RUNS = CHUNK / RUN;
const uint LANE_INPUTS = CHUNK / SUBGROUP;
const uint LANE_VECTORS = LANE_INPUTS / 4;

// The lane's share of a chunk's inputs, LANE_INPUTS in a row, and their part of Σx² where the norm wants it.
void loadInputs(uint token, uint chunk, out vec4 inputs[LANE_VECTORS], inout float squares)
{
    [[unroll]] for (uint i = 0; i < LANE_VECTORS; i++)
    {
        const uint vector = (chunk * SUBGROUP + gl_SubgroupInvocationID) * LANE_VECTORS + i;
        vec4 v = loadVector(x, token * xVectors + vector);
        if (INPUT == INPUT_RMS)
        {
            squares += dot(v, v);
            v *= loadVector(normWeight, vector);
        }
        else if (INPUT == INPUT_HEADS)
            [[unroll]] for (uint e = 0; e < 4; e++)
                v[e] *= columnScale(4 * vector + e);
        inputs[i] = v;
    }
}

void main()
{
    prepareInput();
    const uint tile = ROWS * SUBGROUP;
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    const uint firstToken = gl_WorkGroupID.y * TOKENS;
    for (uint first = subgroup * tile; first < rows; first += subgroups * tile)
    {
        uint matrixRow[HALVES][ROWS];
        float sums[TOKENS][HALVES][ROWS];
        float squares[TOKENS];
        uint scaleWord[HALVES][ROWS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
            squares[t] = 0.0;
        [[unroll]] for (uint h = 0; h < HALVES; h++)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                matrixRow[h][r] = h * rows + min(first + r * SUBGROUP + gl_SubgroupInvocationID, rows - 1);
                [[unroll]] for (uint t = 0; t < TOKENS; t++)
                    sums[t][h][r] = 0.0;
            }

        for (uint chunk = 0; chunk * CHUNK_RUNS < runs; chunk++)
        {
            vec4 inputs[TOKENS][LANE_VECTORS];
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                loadInputs(min(firstToken + t, tokens - 1), chunk, inputs[t], squares[t]);
            [[unroll]] for (uint q = 0; q < CHUNK_RUNS; q++)
            {
                const uint run = chunk * CHUNK_RUNS + q;
                if (run >= runs)
                    break;
                [[unroll]] for (uint h = 0; h < HALVES; h++)
                    [[unroll]] for (uint r = 0; r < ROWS; r++)
                    {
                        if (q * RUN % (2 * BLOCK) == 0)
                            scaleWord[h][r] = loadScales(scales, matrixRow[h][r], runs, run * RUN / BLOCK);
                        const float scale = blockScale(scaleWord[h][r], q * RUN / BLOCK);
                        vec4 w[RUN_VECTORS];
                        unpackRun(loadQuad(weights, quadAt(rowStart(matrixRow[h][r], runs), run)), w);
                        [[unroll]] for (uint t = 0; t < TOKENS; t++)
                        {
                            vec4 v[RUN_VECTORS];
                            [[unroll]] for (uint e = 0; e < RUN; e++)
                            {
                                const uint column = q * RUN + e;
                                const uint held = column % LANE_INPUTS;
                                v[e / 4][e % 4] = subgroupBroadcast(inputs[t][held / 4][held % 4], column / LANE_INPUTS);
                            }
                            sums[t][h][r] = fma(scale, runProduct(w, v), sums[t][h][r]);
                        }
                    }
            }
        }

        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            const float norm = INPUT == INPUT_RMS ? rmsScale(subgroupAdd(squares[t])) : 1.0;
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                const uint row = first + r * SUBGROUP + gl_SubgroupInvocationID;
                if (row < rows && firstToken + t < tokens)
                    storeRow(firstToken + t, row, sums[t][0][r] * norm, sums[t][HALVES - 1][r] * norm);
            }
        }
    }
}
