#version 460
// One token of retention (retention.glsl) for processors: a workgroup is one subgroup, so nothing meets in shared memory.
//
// A lane rotates a pair of key rows, and broadcasts take it to the others: a software driver would load a value that all
// lanes want from shared memory once a lane. The state is walked by a pointer, in words of 64 bits (matvec_lane.comp).

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#include "retention.glsl"

const uint PAIRS = KEY_SIZE / 2;

// One row of the state for this thread's columns: S ← γ·S + k̂·vᵀ, o ← o + q̂ᵀ·S. The scales are γ and 1 but for how the
// state is held.
void step(uint64_t row, vec2 scale, float query, float key, vec4 value, uint rounding, inout vec4 o)
{
    const vec4 s = fma(vec4(key), value, scale.x * loadState(StateView(row), 0));
    storeState(StateView(row), 0, s * scale.y, rounding);
    o = fma(vec4(query), s, o);
}

void main()
{
    const uint sequence = gl_WorkGroupID.z;
    if (stepsLeft.at[sequence] == 0)
        return;
    const uint head = gl_WorkGroupID.y;
    const uint tile = gl_WorkGroupID.x;
    const uint vector = tile * TILE_LANES + gl_SubgroupInvocationID;
    const bool owns = vector < valueVectors;
    const uint consumed = positions.at[sequence];
    const vec2 gamma = decay.at[head];
    const vec2 scale = vec2(gamma.x * stateScale(gamma, consumed - 1), 1.0 / stateScale(gamma, consumed));
    const vec4 value = values(sequence, head, 4 * vector);
    const uint64_t stride = uint64_t(STATE_BYTES * valueVectors);
    uint64_t row = uint64_t(state) + STATE_BYTES * uint64_t(sequence * slotVectors + head * KEY_SIZE * valueVectors + vector);

    uint rounding = stateKey(head * KEY_SIZE * valueVectors + vector, consumed);
    vec4 o = vec4(0.0);
    for (uint first = 0; first < PAIRS; first += TILE_LANES)
    {
        const vec4 pair = rotatedPair(sequence, head, min(first + gl_SubgroupInvocationID, PAIRS - 1), consumed - 1);
        const uint count = min(PAIRS - first, TILE_LANES);
        [[dont_unroll]] for (uint i = 0; i < count; i++)
        {
            const vec4 rows = subgroupBroadcast(pair, i);
            if (owns)
            {
                step(row, scale, rows.x, rows.z, value, rounding, o);
                step(row + stride, scale, rows.y, rows.w, value, rounding + valueVectors, o);
            }
            row += 2 * stride;
            rounding += 2 * valueVectors;
        }
    }

    float sum = subgroupAdd(owns ? writeOutput(sequence, head, 4 * vector, o) : 0.0);
    if (tile == 0)
        sum += normAddend(head, consumed);
    if (subgroupElect())
        squares.at[(sequence * gl_NumWorkGroups.y + head) * gl_NumWorkGroups.x + tile] = sum;
}
