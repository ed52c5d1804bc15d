#version 460
// chunk_outputs.comp for processors: a workgroup is one subgroup and owns QUERIES queries and TILE_VECTORS vectors of a
// head's value columns. Lanes run along keys while scores are computed and along value columns while they are
// multiplied with the values; what all lanes need is loaded by one of them and reaches the others by a broadcast
// (matvec_lane.comp). Value rows must be of even size.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#include "buffers.glsl"
#include "decay.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_VECTORS = 16;
layout(constant_id = 2) const uint QUERIES = 8;
layout(constant_id = 3) const uint KEY_SIZE = 128;
layout(constant_id = 4) const uint HEADS = 1;
layout(constant_id = 5) const uint GROUP = 1;
layout(constant_id = 6) const bool SUM_SCORES = false;
layout(constant_id = 7) const uint QUERY_GROUP = 1;
layout(constant_id = 8) const bool STATES = true;
layout(constant_id = 9) const bool REVERSE = false;

layout(push_constant, std430) uniform Arguments
{
    Floats queries;        // [rows][queryStride], rotated
    Floats keys;           // [rows][keyStride], rotated
    Floats values;         // [rows][valueStride]
    LongQuads chunkStates; // STATES: [chunks][HEADS][KEY_SIZE][valueVectors]
    Quads tiles;           // [query tiles]: chunk, first row of the chunk, rows of the chunk, first query in it
    Pairs decay;           // [HEADS], (γ, ln γ)
    Floats o;              // [rows][outputStride]
    Floats scoreSums;      // SUM_SCORES: [rows][HEADS]
    uint queryStride;
    uint keyStride;
    uint valueStride;
    uint outputStride;
    uint valueSize;
    uint valueVectors;     // ⌈valueSize / 4⌉
};

const uint LANES = gl_WorkGroupSize.x;
const uint VECTORS = TILE_VECTORS / LANES;
const uint KEY_VECTORS = 2;
const uint KEYS = KEY_VECTORS * LANES;
// Key columns at a time, and rows of values and of the state: a lane loads two columns, so that PART / 2 lanes load those of a query.
const uint PART = 4;
const uint QUERIES_A_LOAD = 2 * LANES / PART;
const uint QUERY_LOADS = QUERIES / QUERIES_A_LOAD;

// Adds the products of PART rows with the queries' coefficients, (q, c) being those of query q and row c.
#define ACCUMULATE(coefficientOf, row, i) \
    [[unroll]] for (uint q = 0; q < QUERIES; q++) \
    { \
        float coefficient[PART]; \
        [[unroll]] for (uint c = 0; c < PART; c++) \
            coefficient[c] = coefficientOf; \
        [[unroll]] for (uint c = 0; c < PART; c++) \
            result[q][i] = fma(vec4(coefficient[c]), row[c], result[q][i]); \
    }

bool inKey(uint d)
{
    return KEY_SIZE % PART == 0 || d < KEY_SIZE;
}

void main()
{
    const uint lane = gl_SubgroupInvocationID;
    const uint head = gl_WorkGroupID.x % HEADS;
    const uvec4 tile = tiles.at[gl_WorkGroupID.x / HEADS];
    const uint first = tile.w;
    const uint queryCount = min(QUERIES, tile.z - first);
    const uint firstVector = gl_WorkGroupID.y * TILE_VECTORS + lane;
    const vec2 gamma = decay.at[head];
    // Row i of the chunk is origin + i · direction, modulo 2³².
    const uint origin = REVERSE ? tile.y + tile.z - 1 : tile.y;
    const uint direction = REVERSE ? 0xFFFFFFFFu : 1;
    const uint64_t keyBytes = REVERSE ? -uint64_t(4 * keyStride) : uint64_t(4 * keyStride);
    const uint64_t valueBytes = REVERSE ? -uint64_t(4 * valueStride) : uint64_t(4 * valueStride);
    const uint64_t keysAt = uint64_t(keys) + 4 * uint64_t(origin * keyStride + head / GROUP * KEY_SIZE);
    const uint64_t valuesAt = uint64_t(values) + 4 * uint64_t(origin * valueStride + head / GROUP * valueSize);
    uint64_t queryAt[QUERY_LOADS];
    [[unroll]] for (uint l = 0; l < QUERY_LOADS; l++)
    {
        const uint query = min(l * QUERIES_A_LOAD + lane / (PART / 2), queryCount - 1);
        queryAt[l] = uint64_t(queries) + 4 * uint64_t((origin + direction * (first + query)) * queryStride + head / QUERY_GROUP * KEY_SIZE + lane % (PART / 2) * 2);
    }

    // Columns past the last are others again; they are computed and not stored.
    uint64_t valueOffset[VECTORS][2];
    uint64_t stateOffset[VECTORS];
    [[unroll]] for (uint i = 0; i < VECTORS; i++)
    {
        const uint column = 4 * (firstVector + i * LANES);
        stateOffset[i] = 4 * min(column, 4 * valueVectors - 4);
        [[unroll]] for (uint e = 0; e < 2; e++)
            valueOffset[i][e] = 4 * min(column + 2 * e, valueSize - 2);
    }

    vec4 result[QUERIES][VECTORS];
    float sums[QUERIES];
    [[unroll]] for (uint q = 0; q < QUERIES; q++)
    {
        sums[q] = 0.0;
        [[unroll]] for (uint i = 0; i < VECTORS; i++)
            result[q][i] = vec4(0.0);
    }

    [[dont_unroll]] for (uint firstKey = 0; firstKey < first + queryCount; firstKey += KEYS)
    {
        float scores[QUERIES][KEY_VECTORS];
        uint64_t keyAt[KEY_VECTORS];
        [[unroll]] for (uint n = 0; n < KEY_VECTORS; n++)
        {
            keyAt[n] = keysAt + keyBytes * uint64_t(min(firstKey + n * LANES + lane, tile.z - 1));
            [[unroll]] for (uint q = 0; q < QUERIES; q++)
                scores[q][n] = 0.0;
        }
        [[dont_unroll]] for (uint d = 0; d < KEY_SIZE; d += PART)
        {
            vec2 k[KEY_VECTORS][PART / 2];
            vec2 query[QUERY_LOADS];
            [[unroll]] for (uint n = 0; n < KEY_VECTORS; n++)
                [[unroll]] for (uint c = 0; c < PART; c += 2)
                    k[n][c / 2] = inKey(d + c) ? loadPair(LongWords(keyAt[n] + 4 * uint64_t(d + c)), 0) : vec2(0.0);
            [[unroll]] for (uint l = 0; l < QUERY_LOADS; l++)
                query[l] = inKey(lane % (PART / 2) * 2 + d) ? loadPair(LongWords(queryAt[l] + 4 * uint64_t(d)), 0) : vec2(0.0);
            [[unroll]] for (uint q = 0; q < QUERIES; q++)
                [[unroll]] for (uint c = 0; c < PART; c++)
                {
                    const float coefficient = subgroupBroadcast(query[q / QUERIES_A_LOAD][c % 2], q % QUERIES_A_LOAD * (PART / 2) + c / 2);
                    [[unroll]] for (uint n = 0; n < KEY_VECTORS; n++)
                        scores[q][n] = fma(coefficient, k[n][c / 2][c % 2], scores[q][n]);
                }
        }
        [[unroll]] for (uint n = 0; n < KEY_VECTORS; n++)
        {
            const uint key = firstKey + n * LANES + lane;
            [[unroll]] for (uint q = 0; q < QUERIES; q++)
            {
                const bool seen = key <= first + q && q < queryCount;
                scores[q][n] = seen ? scores[q][n] * decayPower(gamma, float(first + q - key)) : 0.0;
                sums[q] += abs(scores[q][n]);
            }
        }
        [[unroll]] for (uint n = 0; n < KEY_VECTORS; n++)
        {
            const uint from = firstKey + n * LANES;
            const uint count = from < first + queryCount ? min(LANES, first + queryCount - from) : 0;
            [[unroll]] for (uint i = 0; i < VECTORS; i++)
                [[dont_unroll]] for (uint j = 0; j < count; j += PART)
                {
                    vec4 v[PART];
                    [[unroll]] for (uint c = 0; c < PART; c++)
                    {
                        const uint64_t at = valuesAt + valueBytes * uint64_t(min(from + j + c, tile.z - 1));
                        v[c].xy = loadPair(LongWords(at + valueOffset[i][0]), 0);
                        v[c].zw = loadPair(LongWords(at + valueOffset[i][1]), 0);
                    }
                    ACCUMULATE(subgroupBroadcast(scores[q][n], j + c), v, i)
                }
        }
    }

    // The state's rows, like further keys whose scores are γⁱ⁺¹·q̂.
    float power[QUERY_LOADS];
    [[unroll]] for (uint l = 0; l < QUERY_LOADS; l++)
        power[l] = decayPower(gamma, float(first + l * QUERIES_A_LOAD + lane / (PART / 2) + 1));
    const uint64_t stateAt = uint64_t(chunkStates) + 16 * uint64_t((tile.x * HEADS + head) * KEY_SIZE * valueVectors);
    [[unroll]] for (uint i = 0; i < VECTORS; i++)
        [[dont_unroll]] for (uint d = 0; STATES && d < KEY_SIZE; d += PART)
        {
            vec2 query[QUERY_LOADS];
            [[unroll]] for (uint l = 0; l < QUERY_LOADS; l++)
                query[l] = inKey(lane % (PART / 2) * 2 + d) ? loadPair(LongWords(queryAt[l] + 4 * uint64_t(d)), 0) * power[l] : vec2(0.0);
            vec4 s[PART];
            [[unroll]] for (uint c = 0; c < PART; c++)
                s[c] = loadVector(LongQuads(stateAt + 16 * uint64_t(min(d + c, KEY_SIZE - 1) * valueVectors) + stateOffset[i]), 0);
            ACCUMULATE(subgroupBroadcast(query[q / QUERIES_A_LOAD][c % 2], q % QUERIES_A_LOAD * (PART / 2) + c / 2), s, i)
        }

    [[unroll]] for (uint q = 0; q < QUERIES; q++)
        if (q < queryCount)
        {
            [[unroll]] for (uint i = 0; i < VECTORS; i++)
                [[unroll]] for (uint e = 0; e < 4; e++)
                {
                    const uint column = 4 * (firstVector + i * LANES) + e;
                    if (column < valueSize)
                        o.at[(origin + direction * (first + q)) * outputStride + head * valueSize + column] = result[q][i][e];
                }
            if (SUM_SCORES && gl_WorkGroupID.y == 0)
                scoreSums.at[(origin + direction * (first + q)) * HEADS + head] = subgroupAdd(sums[q]);
        }
}
