#version 460
// y = W·in(x) (matvec.glsl) of one token for GPUs, where memory is the limit. A subgroup takes ROWS rows (of each half) at a
// time; its lanes stride over the quads of a row, so that a load of the subgroup is one contiguous piece, 16 bytes a lane.
//
// Memory is never left without requests: a lane holds HELD quads of each row and has asked for as many further ones, of the same
// rows or of the next, before it multiplies. The first depend on nothing that ran before and are asked for before the input, which
// is there once a workgroup, normalised, in shared memory: vectors that lanes read at the same time lie side by side.

#extension GL_GOOGLE_include_directive : require

#include "chain.glsl"

#define WeightView Quads
#define InputView ChainedVectors
#define NormView Parameters
#define FloatView ChainedFloats
#define CHAINS
#include "matvec.glsl"

layout(constant_id = 11) const uint RUNS = 1; // runs a row
layout(constant_id = 12) const uint HELD = 1; // quads of a row that a lane holds

// Columns go by chunks of what the lanes of a subgroup hold of a row.
const uint CHUNK_RUNS = HELD * SUBGROUP;
const uint CHUNKS = (RUNS + CHUNK_RUNS - 1) / CHUNK_RUNS;
const uint VECTORS = CHUNKS * CHUNK_RUNS * RUN_VECTORS;
const uint THREAD_VECTORS = (VECTORS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

shared vec4 inputs[RUN_VECTORS][CHUNKS * CHUNK_RUNS];
shared float partialSquares[(gl_WorkGroupSize.x + SUBGROUP - 1) / SUBGROUP]; // a subgroup each

uvec4 nextQuads[HALVES][ROWS][HELD];
uint nextScales[HALVES][ROWS][HELD];

// Past the last run another one will do: its inputs are zero.
uint runOf(uint chunk, uint i)
{
    return min(chunk * CHUNK_RUNS + i * SUBGROUP + gl_SubgroupInvocationID, RUNS - 1);
}

void loadWeights(uint tile, uint chunk)
{
    [[unroll]] for (uint h = 0; h < HALVES; h++)
        [[unroll]] for (uint r = 0; r < ROWS; r++)
            [[unroll]] for (uint i = 0; i < HELD; i++)
            {
                const uint row = h * rows + min(tile * ROWS + r, rows - 1);
                const uint run = runOf(chunk, i);
                nextQuads[h][r][i] = weights.at[row * RUNS + run];
                nextScales[h][r][i] = loadScales(scales, row, RUNS, run * RUN / BLOCK);
            }
}

// headScale (matvec.glsl), a head a subgroup.
void gatherHeads()
{
    for (uint h = gl_SubgroupID; h < HEADS; h += gl_NumSubgroups)
    {
        float sum = 0.0;
        for (uint t = 0; t < headTiles; t += SUBGROUP)
        {
            const bool inside = t + gl_SubgroupInvocationID < headTiles;
            const uint at = h * headTiles + min(t + gl_SubgroupInvocationID, headTiles - 1);
            float squares = headSquares.at[at];
            if (CHAINED)
                for (uint polls = 0; anyWaits(isMissing(squares)) && polls < MOST_POLLS; polls++)
                    squares = headSquares.at[at];
            sum += inside ? squares : 0.0;
        }
        sum = subgroupAdd(sum);
        if (subgroupElect())
            headScale[h] = inversesqrt(sum / float(HEAD_SIZE));
    }
    barrier();
}

// A vector of the input; zero past the last column, where in a chain there may be anything.
vec4 loadInput(uint vector)
{
    vec4 v = x.at[vector];
    if (CHAINED)
        [[unroll]] for (uint e = 0; e < 4; e++)
            if (4 * vector + e >= columns)
                v[e] = 0.0;
    return v;
}

// in(x) without the factor of INPUT_RMS, which is returned.
float stageInputs()
{
    vec4 v[THREAD_VECTORS];
    vec4 norms[THREAD_VECTORS];
    [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
    {
        const uint vector = min(i * gl_WorkGroupSize.x + gl_LocalInvocationID.x, RUNS * RUN_VECTORS - 1);
        norms[i] = INPUT == INPUT_RMS ? normWeight.at[vector] : vec4(1.0);
        v[i] = loadInput(vector);
    }
    if (CHAINED)
    {
        bool waits = true;
        for (uint polls = 0; waits && polls < MOST_POLLS; polls++)
        {
            bool missing = false;
            [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
                if (isMissing(v[i]))
                {
                    missing = true;
                    v[i] = loadInput(min(i * gl_WorkGroupSize.x + gl_LocalInvocationID.x, RUNS * RUN_VECTORS - 1));
                }
            waits = anyWaits(missing);
        }
    }
    if (INPUT == INPUT_HEADS)
        gatherHeads();
    float squares = 0.0;
    [[unroll]] for (uint i = 0; i < THREAD_VECTORS; i++)
    {
        const uint vector = i * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
        if (vector >= RUNS * RUN_VECTORS)
            v[i] = vec4(0.0);
        if (INPUT == INPUT_RMS)
        {
            squares += dot(v[i], v[i]);
            v[i] *= norms[i];
        }
        else if (INPUT == INPUT_HEADS)
            v[i] *= columnScales(0, 4 * vector);
        if (vector < VECTORS)
            inputs[vector % RUN_VECTORS][vector / RUN_VECTORS] = v[i];
    }
    if (INPUT != INPUT_RMS)
    {
        barrier();
        return 1.0;
    }
    squares = subgroupAdd(squares);
    if (subgroupElect())
        partialSquares[gl_SubgroupID] = squares;
    barrier();
    squares = 0.0;
    for (uint i = 0; i < gl_NumSubgroups; i++)
        squares += partialSquares[i];
    return rmsScale(squares);
}

void main()
{
    const uint tiles = (rows + ROWS - 1) / ROWS;
    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    uint tile = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    loadWeights(tile, 0);
    const float norm = stageInputs();
    for (; tile < tiles; tile += subgroups)
    {
        float sums[HALVES][ROWS];
        float before[ROWS];
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            before[r] = residualOf(0, min(tile * ROWS + r, rows - 1));
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                sums[h][r] = 0.0;
        }
        [[unroll]] for (uint chunk = 0; chunk < CHUNKS; chunk++)
        {
            uvec4 quads[HALVES][ROWS][HELD];
            uint words[HALVES][ROWS][HELD];
            [[unroll]] for (uint h = 0; h < HALVES; h++)
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    [[unroll]] for (uint i = 0; i < HELD; i++)
                    {
                        quads[h][r][i] = nextQuads[h][r][i];
                        words[h][r][i] = nextScales[h][r][i];
                    }
            if (chunk + 1 < CHUNKS)
                loadWeights(tile, chunk + 1);
            else if (tile + subgroups < tiles)
                loadWeights(tile + subgroups, 0);
            [[unroll]] for (uint i = 0; i < HELD; i++)
            {
                vec4 v[RUN_VECTORS];
                [[unroll]] for (uint k = 0; k < RUN_VECTORS; k++)
                    v[k] = inputs[k][chunk * CHUNK_RUNS + i * SUBGROUP + gl_SubgroupInvocationID];
                const float offset = runOffset(v);
                [[unroll]] for (uint h = 0; h < HALVES; h++)
                    [[unroll]] for (uint r = 0; r < ROWS; r++)
                    {
                        const float scale = blockScale(words[h][r][i], runOf(chunk, i) * RUN / BLOCK);
                        sums[h][r] = fma(scale, runDot(quads[h][r][i], v) + offset, sums[h][r]);
                    }
            }
        }
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            const float sum = subgroupAdd(sums[0][r]) * norm;
            const float second = OUTPUT == OUTPUT_GLU ? subgroupAdd(sums[HALVES - 1][r]) * norm : 0.0;
            if (subgroupElect() && tile * ROWS + r < rows)
                storeRow(0, tile * ROWS + r, sum, second, before[r]);
        }
    }
}
