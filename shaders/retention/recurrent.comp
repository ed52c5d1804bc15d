#version 460
// One token of retention (retention.glsl) for GPUs: threads run along the value columns; the remaining factor of the
// workgroup splits the key rows, and their sums meet in shared memory. All of a thread's share of the state is asked for at once,
// before queries, keys and values, which may still be under way.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "chain.glsl"

#define FloatView ChainedFloats
#include "retention.glsl"

layout(constant_id = 6) const bool CHAINED = false;

const uint SLICES = gl_WorkGroupSize.x / TILE_LANES;
const uint SLICE_ROWS = (KEY_SIZE + SLICES - 1) / SLICES;
const uint PAIRS = KEY_SIZE / 2;
const uint THREAD_PAIRS = (PAIRS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

shared float queries[KEY_SIZE];
shared float keys[KEY_SIZE];
shared vec4 partial[gl_WorkGroupSize.x];

// The thread's n-th pair of rows of q and k; past the last one another will do.
uint pairOf(uint n)
{
    return min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, PAIRS - 1);
}

void main()
{
    const uint sequence = gl_WorkGroupID.z;
    const bool live = stepsLeft.at[sequence] > 0;
    if (!live && !CHAINED) // in a chain others wait for what this one writes
        return;
    const uint head = gl_WorkGroupID.y;
    const uint tile = gl_WorkGroupID.x;
    const uint lane = gl_LocalInvocationID.x % TILE_LANES;
    const uint slice = gl_LocalInvocationID.x / TILE_LANES;
    const uint vector = tile * TILE_LANES + lane;

    const uint slot = sequence * slotVectors;
    const uint origin = head * KEY_SIZE * valueVectors + min(vector, valueVectors - 1);
    vec4 held[SLICE_ROWS];
    [[unroll]] for (uint r = 0; r < SLICE_ROWS; r++)
        held[r] = loadState(state, slot + origin + min(slice + r * SLICES, KEY_SIZE - 1) * valueVectors);
    const uint consumed = positions.at[sequence];
    vec2 rotations[THREAD_PAIRS];
    [[unroll]] for (uint p = 0; p < THREAD_PAIRS; p++)
        rotations[p] = rotation(angles.at[pairOf(p)], consumed - 1);
    const vec4 weight = headWeights(4 * vector);
    const vec2 gamma = decay.at[head];
    const float fade = gamma.x * stateScale(gamma, consumed - 1);
    const float scale = 1.0 / stateScale(gamma, consumed);
    const float shrink = outputScale(gamma, consumed);

    vec4 pairs[THREAD_PAIRS];
    vec4 value, gate;
    bool missing = true;
    for (uint polls = 0; missing && polls < MOST_POLLS; polls++)
    {
        // While something is missing, one value is looked at for all that a subgroup waits for: what waits takes bandwidth from what works.
        for (; polls > 0 && polls < MOST_POLLS && isMissing(projections.at[sequence * stride + valuesAt() + head / group * valueSize + tile * TILE_LANES * 4]); polls++)
            ;
        value = values(sequence, head, 4 * vector);
        gate = gates(sequence, head, 4 * vector);
        missing = CHAINED && (isMissing(value) || isMissing(gate));
        [[unroll]] for (uint p = 0; p < THREAD_PAIRS; p++)
        {
            pairs[p] = projectedPair(sequence, head, pairOf(p));
            missing = missing || (CHAINED && isMissing(pairs[p]));
        }
    }
    [[unroll]] for (uint p = 0; p < THREAD_PAIRS; p++)
    {
        const uint i = pairOf(p);
        const vec4 pair = rotatePair(pairs[p], rotations[p]);
        queries[2 * i] = pair.x;
        queries[2 * i + 1] = pair.y;
        keys[2 * i] = pair.z;
        keys[2 * i + 1] = pair.w;
    }
    barrier();

    vec4 o = vec4(0.0);
    if (vector < valueVectors)
        [[unroll]] for (uint r = 0; r < SLICE_ROWS; r++)
        {
            const uint i = slice + r * SLICES;
            if (i < KEY_SIZE)
            {
                const uint at = origin + i * valueVectors;
                const vec4 s = fma(vec4(keys[i]), value, fade * held[r]);
                if (live)
                    storeState(state, slot + at, s * scale, stateKey(at, consumed));
                o = fma(vec4(queries[i]), s, o);
            }
        }
    partial[gl_LocalInvocationID.x] = o;
    barrier();

    if (slice == 0)
    {
        for (uint i = 1; i < SLICES; i++)
            o += partial[i * TILE_LANES + lane];
        partial[lane].x = writeOutput(sequence, head, 4 * vector, shrink * o, gate, weight);
    }
    barrier();

    if (gl_LocalInvocationID.x == 0)
    {
        float sum = 0.0;
        for (uint i = 0; i < TILE_LANES; i++)
            sum += partial[i].x;
        if (tile == 0)
            sum += normAddend(head, consumed);
        squares.at[(sequence * gl_NumWorkGroups.y + head) * gl_NumWorkGroups.x + tile] = sum;
    }
}
