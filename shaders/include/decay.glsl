// Powers of a head's γ, which is close to 1: from (γ, ln γ), the logarithm taken in double on the host.

// γᵗ.
float decayPower(vec2 gamma, float t)
{
    return exp(t * gamma.y);
}

// S_n = Σ γᵗ for t = 0..n, n + 1 terms; 1 − γⁿ⁺¹ by its series where the difference would cancel.
float decaySum(vec2 gamma, float terms)
{
    if (gamma.x == 1.0)
        return terms;
    const float e = terms * gamma.y;
    const float missing = e > -0.25
        ? -e * (1.0 + e * (0.5 + e * (1.0 / 6.0 + e * (1.0 / 24.0 + e / 120.0))))
        : 1.0 - exp(e);
    return missing / (1.0 - gamma.x);
}
