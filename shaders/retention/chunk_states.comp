#version 460
// The state's way through a sequence, chunk by chunk (arXiv 2307.08621, equation 7), un-normalised:
//
//   S ← γᴸ·S + Σ_j γᴸ⁻¹⁻ʲ · k̂_j·v_jᵀ           over the L tokens of a chunk
//
// The state that each chunk begins with goes to chunkStates, where chunk_outputs reads it. A workgroup owns, of one
// head of one sequence, 4·TILE_LANES value columns and as many key rows as fit, KEY_ROWS a thread in registers.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "buffers.glsl"
#include "decay.glsl"
#include "state.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_LANES = 8;
layout(constant_id = 2) const uint KEY_ROWS = 8;
layout(constant_id = 3) const uint KEY_SIZE = 128;
layout(constant_id = 4) const uint HEADS = 1;
layout(constant_id = 5) const uint GROUP = 1;

layout(push_constant, std430) uniform Arguments
{
    Floats keys;         // [rows][stride], rotated
    Floats values;       // [rows][stride]
    StateView state;     // [slot][slotVectors]: [HEADS][KEY_SIZE][valueVectors] of this layer
    Vectors chunkStates; // [chunks][HEADS][KEY_SIZE][valueVectors]
    Quads segments;      // [segments]: slot, first row, rows, first chunk
    Pairs decay;         // [HEADS], (γ, ln γ)
    Words positions;     // [rows], tokens consumed, the row's included
    uint stride;
    uint slotVectors;
    uint valueSize;
    uint valueVectors;   // ⌈valueSize / 4⌉
    uint chunkLength;
    uint valueTiles;
};

#include "values.glsl"

void main()
{
    const uint slices = gl_WorkGroupSize.x / TILE_LANES;
    const uint vector = gl_WorkGroupID.x % valueTiles * TILE_LANES + gl_LocalInvocationID.x % TILE_LANES;
    const uint firstKey = (gl_WorkGroupID.x / valueTiles * slices + gl_LocalInvocationID.x / TILE_LANES) * KEY_ROWS;
    const uint head = gl_WorkGroupID.y % HEADS;
    const uvec4 segment = segments.at[gl_WorkGroupID.y / HEADS];
    if (vector >= valueVectors)
        return;

    const vec2 gamma = decay.at[head];
    const uint before = positions.at[segment.y] - 1;
    const float loadScale = stateScale(gamma, before);
    const float storeScale = 1.0 / stateScale(gamma, before + segment.z);
    const uint origin = (head * KEY_SIZE + firstKey) * valueVectors + vector;
    vec4 s[KEY_ROWS];
    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        s[r] = firstKey + r < KEY_SIZE ? loadScale * loadState(state, segment.x * slotVectors + origin + r * valueVectors) : vec4(0.0);

    for (uint done = 0, chunk = segment.w; done < segment.z; done += chunkLength, chunk++)
    {
        const uint length = min(chunkLength, segment.z - done);
        // S − (1 − γᴸ)·S: γᴸ itself would be rounded the same way in every chunk that a slow head remembers.
        const float missing = (1.0 - gamma.x) * decaySum(gamma, float(length));
        [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
            if (firstKey + r < KEY_SIZE)
            {
                chunkStates.at[chunk * HEADS * KEY_SIZE * valueVectors + origin + r * valueVectors] = s[r];
                s[r] = fma(vec4(-missing), s[r], s[r]);
            }
        for (uint j = 0; j < length; j++)
        {
            const uint row = segment.y + done + j;
            const vec4 v = loadValues(row, head / GROUP, 4 * vector) * decayPower(gamma, float(length - 1 - j));
            const uint key = row * stride + head / GROUP * KEY_SIZE + firstKey;
            [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
                if (firstKey + r < KEY_SIZE)
                    s[r] = fma(vec4(keys.at[key + r]), v, s[r]);
        }
    }

    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        if (firstKey + r < KEY_SIZE)
            storeState(state, segment.x * slotVectors + origin + r * valueVectors, storeScale * s[r], stateKey(origin + r * valueVectors, before + segment.z));
}
