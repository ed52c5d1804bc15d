// What becomes of a product of many tokens, matvec.glsl's outputs: Y[token][row] from Σ_k X[token][k]·W[row][k].
//
//   OUTPUT_STORE  Σ
//   OUTPUT_ADD    α·Y + Σ                residual
//   OUTPUT_GLU    act(Σ₁)·Σ₂             W = [W₁; W₂], row r of both
//   OUTPUT_ACT    act(Σ)
//   BIASED adds b to each Σ; HALF_OUTPUT stores f16; CHAINED, of kernels with CHAINS, stores what others wait for (chain.glsl).

#include "activation.glsl"

const uint OUTPUT_STORE = 0;
const uint OUTPUT_ADD = 1;
const uint OUTPUT_GLU = 2;
const uint OUTPUT_ACT = 3;
const uint HALVES = OUTPUT == OUTPUT_GLU ? 2 : 1;

// Finishes an element from the sums of its halves; returns it as it was before it was rounded.
float finish(uint token, uint row, float first, float second)
{
    const uint at = token * yStride + row;
    if (BIASED)
    {
        first += bias.at[row];
        if (OUTPUT == OUTPUT_GLU)
            second += bias.at[rows + row];
    }
    float value = OUTPUT == OUTPUT_GLU || OUTPUT == OUTPUT_ACT ? activate(first, ACTIVATION) : first;
    if (OUTPUT == OUTPUT_GLU)
        value *= second;
    if (OUTPUT == OUTPUT_ADD)
        value += residualScale * floatsOf(y).at[at];
#ifdef HALF_FLOATS
    if (HALF_OUTPUT)
    {
        Halves(y).at[at] = toHalf(value);
        return value;
    }
#endif
#ifdef CHAINS
    if (CHAINED)
    {
        ChainedFloats(y).at[at] = value;
        return value;
    }
#endif
    floatsOf(y).at[at] = value;
    return value;
}
