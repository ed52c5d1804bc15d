#version 460
// y = W·in(x) (matvec.glsl) for processors: a lane owns ROWS rows (of each half), so nothing is summed across lanes.
//
// A software driver runs a subgroup as one vector of the processor and every load of it word by word, lane by lane.
// Loads are what costs: so they are 64 bits wide, two scales come at once, and an input is loaded once a subgroup, by
// one lane, from which a broadcast takes it to the others. Next come addresses and spilled registers: the rows of a
// tile lie together (INTERLEAVE is their number), so that a pointer and constants reach them all and memory is read in
// order; and no more is unrolled than one run of each row, one row at a time.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#define WeightView LongQuads
#define InputView LongQuads
#define NormView LongQuads
#define FloatView Floats
#include "matvec.glsl"

// Columns that a turn of the outer loop takes, and of the inner one: a word of scales; at least a run and a lane's inputs.
const uint CHUNK = 2 * BLOCK;
const uint LANE_INPUTS = CHUNK / SUBGROUP;
const uint LANE_VECTORS = LANE_INPUTS / 4;
const uint PART = RUN > LANE_INPUTS ? RUN : LANE_INPUTS;

// The lane's share of a chunk of a token's inputs, LANE_INPUTS in a row, and their part of Σx² where the norm wants it.
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
                v[e] *= columnScale(token % TOKENS, 4 * vector + e);
        inputs[i] = v;
    }
}

void main()
{
    const uint firstToken = gl_WorkGroupID.y * TOKENS;
    prepareInput(firstToken);
    const uint tileRows = ROWS * SUBGROUP;
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    for (uint tile = subgroup; tile * tileRows < rows; tile += subgroups)
    {
        const uint first = tile * INTERLEAVE;
        uint64_t quads = uint64_t(weights) + 16 * uint64_t(first * runs + gl_SubgroupInvocationID);
        uint64_t words = uint64_t(scales) + 4 * uint64_t(first * scaleWords(runs) + gl_SubgroupInvocationID);
        float sums[TOKENS][HALVES][ROWS];
        float squares[TOKENS];
        uint scaleWord[HALVES][ROWS];
        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            squares[t] = 0.0;
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    sums[t][h][r] = 0.0;
        }

        for (uint chunk = 0; chunk * CHUNK < runs * RUN; chunk++)
        {
            vec4 inputs[TOKENS][LANE_VECTORS];
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
                loadInputs(min(firstToken + t, tokens - 1), chunk, inputs[t], squares[t]);
#ifdef SCALED
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    scaleWord[h][r] = Words(words + (h * ROWS + r) * SUBGROUP * 4).at[0];
            words += INTERLEAVE * 4;
#endif
            [[dont_unroll]] for (uint part = 0; part < CHUNK / PART; part++)
                [[unroll]] for (uint q = 0; q < PART / RUN; q++)
                {
                    vec4 v[TOKENS][RUN_VECTORS];
                    [[unroll]] for (uint t = 0; t < TOKENS; t++)
                        [[unroll]] for (uint e = 0; e < RUN; e++)
                        {
                            const uint column = q * RUN + e;
                            const uint held = column % LANE_INPUTS;
                            v[t][e / 4][e % 4] = subgroupBroadcast(inputs[t][held / 4][held % 4], (part * PART + column) / LANE_INPUTS);
                        }
                    // The test is also a fence for the driver's compiler, which would first load the quads of all
                    // rows, more than there are registers.
                    [[unroll]] for (uint h = 0; h < HALVES; h++)
                        [[unroll]] for (uint r = 0; r < ROWS; r++)
                            if (tile * tileRows + r * SUBGROUP < rows)
                            {
                                const float scale = blockScale(scaleWord[h][r], part * PART / BLOCK);
                                vec4 w[RUN_VECTORS];
                                unpackRun(loadQuad(LongQuads(quads + (h * ROWS + r) * SUBGROUP * 16), 0), w);
                                [[unroll]] for (uint t = 0; t < TOKENS; t++)
                                    sums[t][h][r] = fma(scale, runProduct(w, v[t]), sums[t][h][r]);
                            }
                    quads += INTERLEAVE * 16;
                }
        }

        [[unroll]] for (uint t = 0; t < TOKENS; t++)
        {
            const float norm = INPUT == INPUT_RMS ? rmsScale(subgroupAdd(squares[t])) : 1.0;
            [[unroll]] for (uint r = 0; r < ROWS; r++)
            {
                const uint row = tile * tileRows + r * SUBGROUP + gl_SubgroupInvocationID;
                if (row < rows && firstToken + t < tokens)
                    storeRow(firstToken + t, row, sums[t][0][r] * norm, sums[t][HALVES - 1][r] * norm, residualOf(firstToken + t, row));
            }
        }
    }
}
