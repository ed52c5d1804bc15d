// R(nθ): the rotation of one pair at position n, exact at any n.
//
// An angle θ is kept as a 64-bit fraction of a turn, φ = θ/2π · 2⁶⁴ (low word first). n·φ modulo one turn is
// an integer product, so nothing is lost however large n grows, and no table grows with the context. The
// remaining eighth-turn goes through minimax polynomials (GLSL's own sin and cos promise only 2⁻¹¹).

vec2 rotation(uvec2 phi, uint n)
{
    uint high, low;
    umulExtended(n, phi.x, high, low);
    const uint turn = n * phi.y + high;              // fraction of a turn · 2³²
    const uint quadrant = (turn + 0x20000000u) >> 30;
    const float x = float(int(turn - (quadrant << 30))) * 1.46291807926715968e-9; // 2π/2³²; |x| ≤ π/4
    const float z = x * x;
    const float s = x + x * z * (-1.6666654611e-1 + z * (8.3321608736e-3 + z * -1.9515295891e-4));
    const float c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
    switch (quadrant & 3u)
    {
        case 0: return vec2(c, s);
        case 1: return vec2(-s, c);
        case 2: return vec2(-c, -s);
        default: return vec2(s, -c);
    }
}

// R·(a, b) for a pair (2i, 2i+1).
vec2 rotate(vec2 pair, vec2 r)
{
    return vec2(pair.x * r.x - pair.y * r.y, pair.y * r.x + pair.x * r.y);
}
