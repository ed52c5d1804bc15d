#version 460
// y = W·in(x) (matvec.glsl) for processors: a lane owns ROWS rows (of each half), so nothing is summed across lanes.
//
// A software driver runs a subgroup as one vector of the processor and every load of it as a gather, lane by lane.
// Loads are what costs: so each input is loaded once a subgroup, by one lane, and reaches the others by a broadcast.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require

#define InputView Floats
#include "matvec.glsl"

// Columns that a turn of the loop takes: whole runs, and a whole input a lane.
const uint CHUNK = RUN > SUBGROUP ? RUN : SUBGROUP;
const uint CHUNK_INPUTS = CHUNK / SUBGROUP;
const uint CHUNK_RUNS = CHUNK / RUN;

// The lane's share of a chunk's inputs, and their part of Σx² where the norm wants it.
void loadInputs(uint chunk, out float inputs[CHUNK_INPUTS], inout float squares)
{
    [[unroll]] for (uint i = 0; i < CHUNK_INPUTS; i++)
    {
        const uint column = chunk * CHUNK + i * SUBGROUP + gl_SubgroupInvocationID;
        float v = x.at[column];
        if (INPUT == INPUT_RMS)
        {
            squares = fma(v, v, squares);
            v *= normWeight.at[column];
        }
        else if (INPUT == INPUT_HEADS)
            v *= columnScale(column);
        inputs[i] = v;
    }
}

void main()
{
    prepareInput();
    const uint tile = ROWS * SUBGROUP;
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    for (uint first = subgroup * tile; first < rows; first += subgroups * tile)
    {
        float sums[HALVES][ROWS];
        uint rowAt[HALVES][ROWS];
        [[unroll]] for (uint h = 0; h < HALVES; h++)
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                sums[h][r] = 0.0;
                rowAt[h][r] = (h * rows + min(first + r * SUBGROUP + gl_SubgroupInvocationID, rows - 1)) * runs;
            }
        float squares = 0.0;

        for (uint chunk = 0; chunk * CHUNK_RUNS < runs; chunk++)
        {
            float inputs[CHUNK_INPUTS];
            loadInputs(chunk, inputs, squares);
            [[unroll]] for (uint q = 0; q < CHUNK_RUNS; q++)
            {
                const uint run = chunk * CHUNK_RUNS + q;
                if (run >= runs)
                    break;
                vec4 v[RUN_VECTORS];
                [[unroll]] for (uint e = 0; e < RUN; e++)
                {
                    const uint column = q * RUN + e;
                    v[e / 4][e % 4] = subgroupBroadcast(inputs[column / SUBGROUP], column % SUBGROUP);
                }
                [[unroll]] for (uint h = 0; h < HALVES; h++)
                    [[unroll]] for (uint r = 0; r < ROWS; r++)
                        sums[h][r] += runProduct(rowAt[h][r] + run, v);
            }
        }

        const float scale = INPUT == INPUT_RMS ? rmsScale(subgroupAdd(squares)) : 1.0;
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            const uint row = first + r * SUBGROUP + gl_SubgroupInvocationID;
            if (row < rows)
                storeRow(row, sums[0][r] * scale, sums[HALVES - 1][r] * scale);
        }
    }
}
