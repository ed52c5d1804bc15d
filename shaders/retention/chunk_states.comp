#version 460
// The state's way through a sequence, chunk by chunk (arXiv 2307.08621, equation 7), un-normalised:
//
//   S ← γᴸ·S + Σ_j γᴸ⁻¹⁻ʲ · k̂_j·v_jᵀ           over the L tokens of a chunk
//
// The state that each chunk begins with goes to chunkStates, where chunk_outputs reads it. A workgroup owns, of one
// head of one sequence, 4·TILE_LANES value columns and as many key rows as fit, KEY_ROWS a thread in registers.
//
// For the gradients of retention (docs/training-step.md) time may run backwards, REVERSE: tokens and chunks are taken from the last to the
// first, a sequence's chunks being those of time forwards. Without RUNNING a sequence begins with a state of zeros and leaves none.

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
layout(constant_id = 5) const uint GROUP = 1; // heads that share keys and values
layout(constant_id = 6) const bool RUNNING = true;
layout(constant_id = 7) const bool REVERSE = false;

layout(push_constant, std430) uniform Arguments
{
    Floats keys;         // [rows][keyStride], rotated
    Floats values;       // [rows][valueStride]
    StateView state;     // RUNNING: [slot][slotVectors]: [HEADS][KEY_SIZE][valueVectors] of this layer
    Vectors chunkStates; // [chunks][HEADS][KEY_SIZE][valueVectors]
    Quads segments;      // [segments]: slot, first row, rows, first chunk
    Pairs decay;         // [HEADS], (γ, ln γ)
    Words positions;     // RUNNING: [rows], tokens consumed, the row's included
    uint keyStride;
    uint valueStride;
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
    const uint before = RUNNING ? positions.at[segment.y] - 1 : 0;
    const float loadScale = stateScale(gamma, before);
    const float storeScale = 1.0 / stateScale(gamma, before + segment.z);
    const uint origin = (head * KEY_SIZE + firstKey) * valueVectors + vector;
    vec4 s[KEY_ROWS];
    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        s[r] = RUNNING && firstKey + r < KEY_SIZE ? loadScale * loadState(state, segment.x * slotVectors + origin + r * valueVectors) : vec4(0.0);

    const uint chunks = (segment.z + chunkLength - 1) / chunkLength;
    for (uint c = 0; c < chunks; c++)
    {
        const uint chunk = REVERSE ? chunks - 1 - c : c;
        const uint begin = chunk * chunkLength;
        const uint length = min(chunkLength, segment.z - begin);
        // S − (1 − γᴸ)·S: γᴸ itself would be rounded the same way in every chunk that a slow head remembers.
        const float missing = (1.0 - gamma.x) * decaySum(gamma, float(length));
        [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
            if (firstKey + r < KEY_SIZE)
            {
                chunkStates.at[(segment.w + chunk) * HEADS * KEY_SIZE * valueVectors + origin + r * valueVectors] = s[r];
                s[r] = fma(vec4(-missing), s[r], s[r]);
            }
        for (uint j = 0; j < length; j++)
        {
            const uint row = segment.y + begin + (REVERSE ? length - 1 - j : j);
            const vec4 v = loadValues(row, head / GROUP, 4 * vector) * decayPower(gamma, float(length - 1 - j));
            const uint key = row * keyStride + head / GROUP * KEY_SIZE + firstKey;
            [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
                if (firstKey + r < KEY_SIZE)
                    s[r] = fma(vec4(keys.at[key + r]), v, s[r]);
        }
    }

    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        if (RUNNING && firstKey + r < KEY_SIZE)
            storeState(state, segment.x * slotVectors + origin + r * valueVectors, storeScale * s[r], stateKey(origin + r * valueVectors, before + segment.z));
}
