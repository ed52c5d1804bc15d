#version 460
// C = op(A)·op(B) (product.glsl) in f32 on processors, where a subgroup is one vector instruction stream, loads are what costs, and broadcasts with constant
// lanes are cheap. A workgroup is a subgroup; a lane holds TILE_M rows × VECTORS columns of C.
//
// Eight k are a turn. Values of A are loaded 64 bits a lane, pair after pair of the tile's, and reach all lanes by broadcasts. Columns are loaded 64 bits a
// lane too: two k of a column where B's rows are columns, else two neighbouring columns of a k. Beyond the last k, values of A
// are zero and those of B any finite ones: another k's or a row's padding. Factors lie at whole 8 bytes, rows of them a
// multiple of eight floats apart.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require

#define LONG_LOADS
#define FactorView LongWords
#include "product.glsl"

layout(constant_id = 8) const uint SUBGROUP = 8;

const uint TURN = 8;
const uint VECTORS = TILE_N / SUBGROUP;
const uint LOADS = TILE_M * TURN / 2 / SUBGROUP;
const bool A_BY_K = FORM == FORM_WEIGHT_GRADIENT;
const bool B_BY_K = FORM != FORM_FORWARD;
// Columns of a lane that are loaded together.
const uint TOGETHER = B_BY_K ? 2 : 1;
// Pairs of A in a row of the tile as it lies in memory.
const uint ROW_PAIRS = A_BY_K ? TILE_M / 2 : TURN / 2;
// Rows whose sums grow in turn: one would have to wait for itself.
const uint CHAINS = 4;

// Column j of a lane's: its own of each vector of lanes, or where neighbours are loaded together two of each two vectors.
uint columnOf(uint j)
{
    return B_BY_K ? j / 2 * 2 * SUBGROUP + 2 * gl_SubgroupInvocationID + j % 2 : j * SUBGROUP + gl_SubgroupInvocationID;
}

void main()
{
    const uint lane = gl_SubgroupInvocationID;
    const uvec2 tile = ownTile();

    // Where the pairs of A and the columns of B begin, in words of 64 bits.
    uint aAt[LOADS];
    uint aOwn[LOADS];
    [[unroll]] for (uint l = 0; l < LOADS; l++)
    {
        const uint pair = l * SUBGROUP + lane;
        const uint along = pair % ROW_PAIRS;
        const uint across = pair / ROW_PAIRS;
        aOwn[l] = A_BY_K ? across : 2 * along;
        aAt[l] = A_BY_K ? min(tile.x / 2 + along, (m - 1) / 2) : min(tile.x + across, m - 1) * (aStride / 2) + along;
    }
    uint bAt[VECTORS];
    [[unroll]] for (uint j = 0; j < VECTORS; j++)
    {
        const uint column = min(tile.y + columnOf(j), n - 1);
        bAt[j] = B_BY_K ? column / 2 : column * (bStride / 2);
    }

    float sums[TILE_M][VECTORS];
    [[unroll]] for (uint i = 0; i < TILE_M; i++)
        [[unroll]] for (uint j = 0; j < VECTORS; j++)
            sums[i][j] = 0.0;

    [[dont_unroll]] for (uint first = 0; first < k; first += TURN)
    {
        float rows[TILE_M][TURN];
        [[unroll]] for (uint l = 0; l < LOADS; l++)
        {
            const uint own = first + aOwn[l];
            vec2 held = loadPair(a, A_BY_K ? min(own, k - 1) * (aStride / 2) + aAt[l] : aAt[l] + first / 2);
            held.x = own < k ? held.x : 0.0;
            held.y = own + (A_BY_K ? 0 : 1) < k ? held.y : 0.0;
            [[unroll]] for (uint source = 0; source < SUBGROUP; source++)
            {
                const uint along = (l * SUBGROUP + source) % ROW_PAIRS;
                const uint across = (l * SUBGROUP + source) / ROW_PAIRS;
                const vec2 pair = vec2(subgroupBroadcast(held.x, source), subgroupBroadcast(held.y, source));
                [[unroll]] for (uint e = 0; e < 2; e++)
                    if (A_BY_K)
                        rows[2 * along + e][across] = pair[e];
                    else
                        rows[across][2 * along + e] = pair[e];
            }
        }
        [[unroll]] for (uint v = 0; v < VECTORS / TOGETHER; v++)
        {
            float columns[2][TURN];
            [[unroll]] for (uint q = 0; q < TURN * TOGETHER / 2; q++)
            {
                const vec2 pair = loadPair(b, B_BY_K ? min(first + q, k - 1) * (bStride / 2) + bAt[v * TOGETHER] : bAt[v * TOGETHER] + first / 2 + q);
                [[unroll]] for (uint e = 0; e < 2; e++)
                    if (B_BY_K)
                        columns[e][q] = pair[e];
                    else
                        columns[0][2 * q + e] = pair[e];
            }
            [[unroll]] for (uint e = 0; e < TOGETHER; e++)
                [[unroll]] for (uint chain = 0; chain < TILE_M / CHAINS; chain++)
                    [[unroll]] for (uint q = 0; q < TURN; q++)
                        [[unroll]] for (uint i = 0; i < CHAINS; i++)
                            sums[chain * CHAINS + i][v * TOGETHER + e] = fma(rows[chain * CHAINS + i][q], columns[e][q], sums[chain * CHAINS + i][v * TOGETHER + e]);
        }
    }

    [[unroll]] for (uint i = 0; i < TILE_M; i++)
        [[unroll]] for (uint j = 0; j < VECTORS; j++)
            if (tile.x + i < m && tile.y + columnOf(j) < n)
                deliver(tile.x + i, tile.y + columnOf(j), sums[i][j]);
}
