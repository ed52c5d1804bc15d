#version 460
// y = W·x (matvec.glsl) for many tokens on processors: a lane owns ROWS rows (of each half), as in matvec_lane, and TOKENS
// tokens. What is loaded and unpacked of a row serves all tokens, a broadcast input all rows. TOKENS is a
// multiple of four, INPUT is INPUT_PLAIN.
//
// A workgroup is a subgroup and a tile of rows. Everything is done for a part of the columns of all rows and tokens, then
// for the next: the code of a part is all there is, and must fit the processor's cache of instructions. A part's weights are unpacked, then
// each token's inputs meet all rows as soon as they are broadcast: kept for later they would have to be stored.
// Inputs are loaded 64 bits a lane, several tokens at once.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#define WeightView LongQuads
#define InputView LongQuads
#define NormView LongQuads
#define FloatView Floats
#include "matvec.glsl"

// Columns that share a word of scales.
const uint CHUNK = 2 * BLOCK;
// A part is two vectors of columns side by side: half a quad of bytes, a quad of f16, two of f32; half a quad of nibbles has
// two such pairs, the second NIBBLES columns on.
const uint PAIR = 8;
const uint PAIRS = RUN == 32 ? 2 : 1;
const uint NIBBLES = 16;
const uint PARTS = CHUNK / (PAIRS * PAIR);
const uint PART_QUADS = RUN < PAIR ? PAIR / RUN : 1;
const bool HALF_QUADS = RUN > PAIR;
// Lanes that load a pair of a token.
const uint TOKEN_LANES = PAIR / 2;
const uint LOAD_TOKENS = SUBGROUP / TOKEN_LANES;
const uint LOADS = TOKENS / LOAD_TOKENS;

// A broadcast from a constant lane is two shuffles. From a lane that the compiler does not know it is one load, as the vector then
// lies on the stack: in these types that is faster, in the others slower. tokens >> 31 is 0.
#if defined(WEIGHT_Q8_0) || defined(WEIGHT_BF16)
#define FIRST_LANE (tokens >> 31)
#else
#define FIRST_LANE 0
#endif

void unpackPart(uint64_t at, out vec4 w[2 * PAIRS])
{
    vec4 run[RUN_VECTORS];
    if (HALF_QUADS)
    {
        unpackRun(uvec4(loadWords(LongWords(at), 0), 0, 0), run);
        [[unroll]] for (uint i = 0; i < 2 * PAIRS; i++)
            w[i] = run[i / 2 * NIBBLES / 4 + i % 2];
    }
    else
        [[unroll]] for (uint q = 0; q < PART_QUADS; q++)
        {
            unpackRun(loadQuad(LongQuads(at + q * INTERLEAVE * 16), 0), run);
            [[unroll]] for (uint i = 0; i < RUN_VECTORS; i++)
                w[q * RUN_VECTORS + i] = run[i];
        }
}

void main()
{
    const uint lane = gl_SubgroupInvocationID;
    const uint firstToken = gl_WorkGroupID.y * TOKENS;
    uint64_t inputAt[LOADS];
    [[unroll]] for (uint l = 0; l < LOADS; l++)
    {
        const uint token = min(firstToken + l * LOAD_TOKENS + lane / TOKEN_LANES, tokens - 1);
        inputAt[l] = uint64_t(x) + 16 * uint64_t(token * xVectors) + 8 * (lane % TOKEN_LANES);
    }

    const uint tileRows = ROWS * SUBGROUP;
    const uint tile = gl_WorkGroupID.x;
    const uint first = tile * INTERLEAVE;
    uint64_t quads = uint64_t(weights) + 16 * uint64_t(first * runs + lane);
    uint64_t words = uint64_t(scales) + 4 * uint64_t(first * scaleWords(runs) + lane);
    uint64_t column = 0; // in bytes
    float sums[TOKENS][HALVES * ROWS];
    [[unroll]] for (uint t = 0; t < TOKENS; t++)
        [[unroll]] for (uint r = 0; r < HALVES * ROWS; r++)
            sums[t][r] = 0.0;

    for (uint chunk = 0; chunk * CHUNK < runs * RUN; chunk++)
    {
        uint scaleWord[HALVES * ROWS];
#ifdef SCALED
        [[unroll]] for (uint r = 0; r < HALVES * ROWS; r++)
            scaleWord[r] = Words(words + r * SUBGROUP * 4).at[0];
        words += INTERLEAVE * 4;
#endif
        [[dont_unroll]] for (uint part = 0; part < PARTS; part++)
        {
            vec2 held[LOADS][PAIRS];
            [[unroll]] for (uint l = 0; l < LOADS; l++)
                [[unroll]] for (uint p = 0; p < PAIRS; p++)
                    held[l][p] = loadPair(LongWords(inputAt[l] + column + p * NIBBLES * 4), 0);
            vec4 w[HALVES * ROWS][2 * PAIRS];
            [[unroll]] for (uint r = 0; r < HALVES * ROWS; r++)
            {
                unpackPart(quads + r * SUBGROUP * 16, w[r]);
#ifdef SCALED
                const float scale = blockScale(scaleWord[r], part / (PARTS / 2));
                [[unroll]] for (uint i = 0; i < 2 * PAIRS; i++)
                    w[r][i] *= scale;
#endif
            }
            [[unroll]] for (uint t = 0; t < TOKENS; t++)
            {
                float v[PAIRS * PAIR];
                [[unroll]] for (uint e = 0; e < PAIRS * PAIR; e++)
                    v[e] = subgroupBroadcast(held[t / LOAD_TOKENS][e / PAIR][e % 2], FIRST_LANE + t % LOAD_TOKENS * TOKEN_LANES + e % PAIR / 2);
                [[unroll]] for (uint e = 0; e < PAIRS * PAIR; e++)
                    [[unroll]] for (uint r = 0; r < HALVES * ROWS; r++)
                        sums[t][r] = fma(w[r][e / 4][e % 4], v[e], sums[t][r]);
            }
            const bool secondHalf = (part & 1) != 0;
            quads += HALF_QUADS && !secondHalf ? 8 : INTERLEAVE * 16 * PART_QUADS - (HALF_QUADS ? 8 : 0);
            column += PAIRS == 2 && secondHalf ? 4 * (2 * NIBBLES - PAIR) : 4 * PAIR;
        }
    }

    [[unroll]] for (uint t = 0; t < TOKENS; t++)
        [[unroll]] for (uint r = 0; r < ROWS; r++)
        {
            const uint row = tile * tileRows + r * SUBGROUP + lane;
            if (row < rows && firstToken + t < tokens)
                storeRow(firstToken + t, row, sums[t][r], sums[t][(HALVES - 1) * ROWS + r], residualOf(firstToken + t, row));
        }
}
