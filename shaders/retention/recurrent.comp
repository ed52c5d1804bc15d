#version 460
// One token of retention (retention.glsl) for GPUs: threads run along the value columns; the remaining factor of the
// workgroup splits the key rows, and their sums meet in shared memory.

#extension GL_GOOGLE_include_directive : require

#include "retention.glsl"

shared float queries[KEY_SIZE];
shared float keys[KEY_SIZE];
shared vec4 partial[gl_WorkGroupSize.x];

// q̂ and k̂ of this head into shared memory.
void rotateHead(uint sequence, uint head, uint n)
{
    for (uint i = gl_LocalInvocationID.x; i < KEY_SIZE / 2; i += gl_WorkGroupSize.x)
    {
        const vec4 pair = rotatedPair(sequence, head, i, n);
        queries[2 * i] = pair.x;
        queries[2 * i + 1] = pair.y;
        keys[2 * i] = pair.z;
        keys[2 * i + 1] = pair.w;
    }
    barrier();
}

void main()
{
    const uint sequence = gl_WorkGroupID.z;
    if (stepsLeft.at[sequence] == 0)
        return;
    const uint head = gl_WorkGroupID.y;
    const uint tile = gl_WorkGroupID.x;
    const uint lane = gl_LocalInvocationID.x % TILE_LANES;
    const uint slice = gl_LocalInvocationID.x / TILE_LANES;
    const uint slices = gl_WorkGroupSize.x / TILE_LANES;
    const uint consumed = positions.at[sequence];
    rotateHead(sequence, head, consumed - 1);

    const uint vector = tile * TILE_LANES + lane;
    vec4 o = vec4(0.0);
    if (vector < valueVectors)
    {
        const vec4 value = values(sequence, head, 4 * vector);
        const vec2 gamma = decay.at[head];
        const uint slot = sequence * slotVectors;
        const float fade = gamma.x * stateScale(gamma, consumed - 1);
        const float scale = 1.0 / stateScale(gamma, consumed);
        for (uint i = slice; i < KEY_SIZE; i += slices)
        {
            const uint at = (head * KEY_SIZE + i) * valueVectors + vector;
            const vec4 s = fma(vec4(keys[i]), value, fade * loadState(state, slot + at));
            storeState(state, slot + at, s * scale, stateKey(at, consumed));
            o = fma(vec4(queries[i]), s, o);
        }
    }
    partial[gl_LocalInvocationID.x] = o;
    barrier();

    if (slice == 0)
    {
        for (uint i = 1; i < slices; i++)
            o += partial[i * TILE_LANES + lane];
        partial[lane].x = writeOutput(sequence, head, 4 * vector, o);
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
