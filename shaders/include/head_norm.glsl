// ε_n of a row and head, where the kernel has HEADS, EPS_SCALED and CLAMPED and its block has `decay`, `positions`, `scores` and `eps`
// (norm/head_norm.comp says what they are).

float epsilon(uint row, uint head)
{
    if (!EPS_SCALED)
        return eps;
    const float sum = decaySum(decay.at[head], float(positions.at[row]));
    if (!CLAMPED)
        return eps * sum;
    const float a = clamp(scores.at[row * HEADS + head] * inversesqrt(sum), 1.0, 5e4);
    return eps * sum * a * a;
}
