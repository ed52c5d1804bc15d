#version 460
// Retention's output for many tokens at once: the parallel form (arXiv 2307.08621, equation 5) inside a chunk and
// the state S that the chunk began with (equation 7), un-normalised:
//
//   o_i = Σ_{j≤i} γⁱ⁻ʲ (q̂_i·k̂_j) v_j + γⁱ⁺¹ q̂_iᵀ·S
//   scores_i = Σ_j γⁱ⁻ʲ |q̂_i·k̂_j|                      for torchscale's abs-sum clamp, where asked for
//
// One chunk as long as the sequence is the parallel form. A workgroup owns QUERIES · slices queries and 4·TILE_LANES value
// columns of a head. It goes through the keys KEYS at a time: their scores, decayed and masked, meet in shared
// memory and are multiplied with the values; no T × T matrix exists beyond that tile. Queries and keys pass through
// shared memory in pieces of PIECE columns. The state's rows follow like further keys whose scores are γⁱ⁺¹·q̂.
//
// For the gradients of retention (docs/training-step.md) time may run backwards, REVERSE: row i of a chunk is its i-th from the end. Without
// STATES every chunk is a sequence of its own, which begins with a state of zeros.

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#include "buffers.glsl"
#include "decay.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_LANES = 8;
layout(constant_id = 2) const uint QUERIES = 4;
layout(constant_id = 3) const uint KEY_SIZE = 128;
layout(constant_id = 4) const uint HEADS = 1;
layout(constant_id = 5) const uint GROUP = 1; // heads that share keys and values
layout(constant_id = 6) const bool SUM_SCORES = false;
layout(constant_id = 7) const uint QUERY_GROUP = 1; // and queries
layout(constant_id = 8) const bool STATES = true;
layout(constant_id = 9) const bool REVERSE = false;

const uint KEYS = 32;
const uint QUERY_TILE = QUERIES * (gl_WorkGroupSize.x / TILE_LANES);

layout(push_constant, std430) uniform Arguments
{
    Floats queries;      // [rows][queryStride], rotated
    Floats keys;         // [rows][keyStride], rotated
    Floats values;       // [rows][valueStride]
    Vectors chunkStates; // STATES: [chunks][HEADS][KEY_SIZE][valueVectors]
    Quads tiles;         // [query tiles]: chunk, first row of the chunk, rows of the chunk, first query in it
    Pairs decay;         // [HEADS], (γ, ln γ)
    Floats o;            // [rows][outputStride]
    Floats scoreSums;    // SUM_SCORES: [rows][HEADS]
    uint queryStride;
    uint keyStride;
    uint valueStride;
    uint outputStride;
    uint valueSize;
    uint valueVectors;   // ⌈valueSize / 4⌉
};

#include "values.glsl"

// Scores of a thread: with a workgroup of whole rows of KEYS they are of one key.
const uint CELLS = (QUERY_TILE * KEYS + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint PIECE = 32;

// A vector more than needed a row, against bank conflicts.
shared vec4 queryPieces[QUERY_TILE][PIECE / 4 + 1];
shared vec4 keyPieces[KEYS][PIECE / 4 + 1];
shared float scores[QUERY_TILE][KEYS + 1];

// Columns from `column` on of rows that lie `rowStep` apart, zero beyond KEY_SIZE and beyond `count` rows.
#define STAGE(pieces, rows, source, from, rowStep, count) \
    for (uint i = gl_LocalInvocationID.x; i < (rows) * PIECE; i += gl_WorkGroupSize.x) \
        pieces[i / PIECE][i % PIECE / 4][i % 4] = i / PIECE < (count) && column + i % PIECE < KEY_SIZE ? source.at[(from) + i / PIECE * (rowStep) + column + i % PIECE] : 0.0;

// o += scores · rows, for the queries that this thread owns; `rows` gives row j's four columns.
#define ACCUMULATE(count, rowAt) \
    for (uint j = 0; j < (count); j++) \
    { \
        const vec4 row = rowAt; \
        [[unroll]] for (uint i = 0; i < QUERIES; i++) \
            result[i] = fma(vec4(scores[slice * QUERIES + i][j]), row, result[i]); \
    }

void main()
{
    const uint head = gl_WorkGroupID.x % HEADS;
    const uvec4 tile = tiles.at[gl_WorkGroupID.x / HEADS];
    const uint first = tile.w;
    const uint queryCount = min(QUERY_TILE, tile.z - first);
    const uint vector = gl_WorkGroupID.y * TILE_LANES + gl_LocalInvocationID.x % TILE_LANES;
    const uint slice = gl_LocalInvocationID.x / TILE_LANES;
    const bool inside = vector < valueVectors;
    const vec2 gamma = decay.at[head];
    // Row i of the chunk is origin + i · direction, modulo 2³².
    const uint origin = REVERSE ? tile.y + tile.z - 1 : tile.y;
    const uint direction = REVERSE ? 0xFFFFFFFFu : 1;
    const uint queryAt = (origin + direction * first) * queryStride + head / QUERY_GROUP * KEY_SIZE;
    const uint keyAt = origin * keyStride + head / GROUP * KEY_SIZE;
    const uint queryStep = direction * queryStride;
    const uint keyStep = direction * keyStride;

    vec4 result[QUERIES];
    [[unroll]] for (uint i = 0; i < QUERIES; i++)
        result[i] = vec4(0.0);
    float scoreSum = 0.0;

    for (uint firstKey = 0; firstKey < first + queryCount; firstKey += KEYS)
    {
        const uint keyCount = min(KEYS, first + queryCount - firstKey);
        float products[CELLS];
        [[unroll]] for (uint n = 0; n < CELLS; n++)
            products[n] = 0.0;
        for (uint column = 0; column < KEY_SIZE; column += PIECE)
        {
            STAGE(queryPieces, QUERY_TILE, queries, queryAt, queryStep, queryCount)
            STAGE(keyPieces, KEYS, keys, keyAt + firstKey * keyStep, keyStep, keyCount)
            barrier();
            [[unroll]] for (uint v = 0; v < PIECE / 4; v++)
                [[unroll]] for (uint n = 0; n < CELLS; n++)
                {
                    const uint cell = min(n * gl_WorkGroupSize.x + gl_LocalInvocationID.x, QUERY_TILE * KEYS - 1);
                    products[n] += dot(queryPieces[cell / KEYS][v], keyPieces[cell % KEYS][v]);
                }
            barrier();
        }
        [[unroll]] for (uint n = 0; n < CELLS; n++)
        {
            const uint cell = n * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
            const uint i = cell / KEYS;
            const uint j = cell % KEYS;
            if (cell < QUERY_TILE * KEYS)
                scores[i][j] = i < queryCount && firstKey + j <= first + i ? products[n] * decayPower(gamma, float(first + i - firstKey - j)) : 0.0;
        }
        barrier();
        if (inside)
            ACCUMULATE(keyCount, loadValues(origin + direction * (firstKey + j), head / GROUP, 4 * vector))
        if (SUM_SCORES && gl_LocalInvocationID.x < QUERY_TILE)
            for (uint j = 0; j < keyCount; j++)
                scoreSum += abs(scores[gl_LocalInvocationID.x][j]);
        barrier();
    }

    for (uint firstRow = 0; STATES && firstRow < KEY_SIZE; firstRow += KEYS)
    {
        for (uint cell = gl_LocalInvocationID.x; cell < QUERY_TILE * KEYS; cell += gl_WorkGroupSize.x)
        {
            const uint i = cell / KEYS;
            const uint j = cell % KEYS;
            scores[i][j] = i < queryCount && firstRow + j < KEY_SIZE
                ? queries.at[queryAt + i * queryStep + firstRow + j] * decayPower(gamma, float(first + i + 1))
                : 0.0;
        }
        barrier();
        if (inside)
            ACCUMULATE(min(KEYS, KEY_SIZE - firstRow), chunkStates.at[((tile.x * HEADS + head) * KEY_SIZE + firstRow + j) * valueVectors + vector])
        barrier();
    }

    [[unroll]] for (uint i = 0; i < QUERIES; i++)
    {
        const uint query = slice * QUERIES + i;
        if (inside && query < queryCount)
            [[unroll]] for (uint e = 0; e < 4; e++)
                if (4 * vector + e < valueSize)
                    o.at[(origin + direction * (first + query)) * outputStride + head * valueSize + 4 * vector + e] = result[i][e];
    }
    if (SUM_SCORES && gl_WorkGroupID.y == 0 && gl_LocalInvocationID.x < queryCount)
        scoreSums.at[(origin + direction * (first + gl_LocalInvocationID.x)) * HEADS + head] = scoreSum;
}
