#version 460
// chunk_states.comp for processors: a workgroup is one subgroup, its lanes run along the value columns, and each owns
// TILE_VECTORS / lanes vectors of KEY_ROWS key rows. A key is loaded by one lane, two rows at a time, from which a broadcast
// takes it to the others (matvec_lane.comp); two tokens are taken at once, so that the state, which lies on the
// driver's stack, is touched half as often. Value rows must be of even size.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#include "buffers.glsl"
#include "decay.glsl"
#include "state.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_VECTORS = 16;
layout(constant_id = 2) const uint KEY_ROWS = 32;
layout(constant_id = 3) const uint KEY_SIZE = 128;
layout(constant_id = 4) const uint HEADS = 1;
layout(constant_id = 5) const uint GROUP = 1;
layout(constant_id = 6) const bool RUNNING = true;
layout(constant_id = 7) const bool REVERSE = false;

layout(push_constant, std430) uniform Arguments
{
    Floats keys;           // [rows][keyStride], rotated
    Floats values;         // [rows][valueStride]
    StateView state;       // RUNNING: [slot][slotVectors]: [HEADS][KEY_SIZE][valueVectors] of this layer
    LongQuads chunkStates; // [chunks][HEADS][KEY_SIZE][valueVectors]
    Quads segments;        // [segments]: slot, first row, rows, first chunk
    Pairs decay;           // [HEADS], (γ, ln γ)
    Words positions;       // RUNNING: [rows], tokens consumed, the row's included
    uint keyStride;
    uint valueStride;
    uint slotVectors;
    uint valueSize;
    uint valueVectors;     // ⌈valueSize / 4⌉
    uint chunkLength;
    uint valueTiles;
};

const uint LANES = gl_WorkGroupSize.x;
const uint VECTORS = TILE_VECTORS / LANES;
const uint KEY_LOADS = KEY_ROWS / (2 * LANES);
const uint TOKENS = 2;

void main()
{
    const uint lane = gl_SubgroupInvocationID;
    const uint firstVector = gl_WorkGroupID.x % valueTiles * TILE_VECTORS + lane;
    const uint firstKey = gl_WorkGroupID.x / valueTiles * KEY_ROWS;
    const uint head = gl_WorkGroupID.y % HEADS;
    const uvec4 segment = segments.at[gl_WorkGroupID.y / HEADS];
    const vec2 gamma = decay.at[head];
    const uint before = RUNNING ? positions.at[segment.y] - 1 : 0;
    const float loadScale = stateScale(gamma, before);
    const float storeScale = 1.0 / stateScale(gamma, before + segment.z);
    const uint origin = (head * KEY_SIZE + firstKey) * valueVectors + firstVector;

    vec4 s[KEY_ROWS][VECTORS];
    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        [[unroll]] for (uint i = 0; i < VECTORS; i++)
        {
            s[r][i] = vec4(0.0);
            if (RUNNING && firstKey + r < KEY_SIZE && firstVector + i * LANES < valueVectors)
                s[r][i] = loadScale * loadState(state, segment.x * slotVectors + origin + r * valueVectors + i * LANES);
        }

    // From a token to the next; where time runs backwards, to the row before.
    const uint64_t keyBytes = REVERSE ? -uint64_t(4 * keyStride) : uint64_t(4 * keyStride);
    const uint64_t valueBytes = REVERSE ? -uint64_t(4 * valueStride) : uint64_t(4 * valueStride);
    const uint firstRow = REVERSE ? segment.y + segment.z - 1 : segment.y;
    uint64_t keyAt[KEY_LOADS];
    [[unroll]] for (uint g = 0; g < KEY_LOADS; g++)
        keyAt[g] = uint64_t(keys) + 4 * uint64_t(firstRow * keyStride + head / GROUP * KEY_SIZE + min(firstKey + 2 * (g * LANES + lane), KEY_SIZE - 2));
    uint64_t valueAt = uint64_t(values) + 4 * uint64_t(firstRow * valueStride + head / GROUP * valueSize + 4 * firstVector);

    const uint chunks = (segment.z + chunkLength - 1) / chunkLength;
    for (uint c = 0; c < chunks; c++)
    {
        const uint chunk = REVERSE ? chunks - 1 - c : c;
        const uint length = min(chunkLength, segment.z - chunk * chunkLength);
        // S − (1 − γᴸ)·S: γᴸ itself would be rounded the same way in every chunk that a slow head remembers.
        const float missing = (1.0 - gamma.x) * decaySum(gamma, float(length));
        [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
            [[unroll]] for (uint i = 0; i < VECTORS; i++)
            {
                if (firstKey + r < KEY_SIZE && firstVector + i * LANES < valueVectors)
                    storeVector(chunkStates, (segment.w + chunk) * HEADS * KEY_SIZE * valueVectors + origin + r * valueVectors + i * LANES, s[r][i]);
                s[r][i] = fma(vec4(-missing), s[r][i], s[r][i]);
            }
        [[dont_unroll]] for (uint j = 0; j < length; j += TOKENS)
        {
            vec2 k[TOKENS][KEY_LOADS];
            vec4 v[TOKENS][VECTORS];
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
            {
                // A last token too many is the one before it again, times zero.
                const uint64_t keyAhead = j + t < length ? t * keyBytes : 0;
                const uint64_t valueAhead = j + t < length ? t * valueBytes : 0;
                const float factor = j + t < length ? decayPower(gamma, float(length - 1 - j - t)) : 0.0;
                [[unroll]] for (uint g = 0; g < KEY_LOADS; g++)
                    k[t][g] = loadPair(LongWords(keyAt[g] + keyAhead), 0);
                [[unroll]] for (uint i = 0; i < VECTORS; i++)
                {
                    v[t][i] = vec4(0.0);
                    [[unroll]] for (uint e = 0; e < 4; e += 2)
                        if (4 * (firstVector + i * LANES) + e < valueSize)
                        {
                            const vec2 pair = loadPair(LongWords(valueAt + valueAhead + 4 * (4 * i * LANES + e)), 0);
                            v[t][i][e] = pair.x;
                            v[t][i][e + 1] = pair.y;
                        }
                    v[t][i] *= factor;
                }
            }
            [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
            {
                float key[TOKENS];
                [[unroll]] for (uint t = 0; t < TOKENS; t++)
                    key[t] = subgroupBroadcast(k[t][r / 2 / LANES][r % 2], r / 2 % LANES);
                [[unroll]] for (uint i = 0; i < VECTORS; i++)
                    [[unroll]] for (uint t = 0; t < TOKENS; t++)
                        s[r][i] = fma(vec4(key[t]), v[t][i], s[r][i]);
            }
            const uint64_t taken = uint64_t(min(TOKENS, length - j));
            valueAt += taken * valueBytes;
            [[unroll]] for (uint g = 0; g < KEY_LOADS; g++)
                keyAt[g] += taken * keyBytes;
        }
    }

    [[unroll]] for (uint r = 0; r < KEY_ROWS; r++)
        [[unroll]] for (uint i = 0; i < VECTORS; i++)
            if (RUNNING && firstKey + r < KEY_SIZE && firstVector + i * LANES < valueVectors)
            {
                const uint vector = origin + r * valueVectors + i * LANES;
                storeState(state, segment.x * slotVectors + vector, storeScale * s[r][i], stateKey(vector, before + segment.z));
            }
}
