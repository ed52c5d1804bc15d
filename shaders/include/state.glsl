// Elements of a retention state, a vector of four value columns at a time.
//
//   f32         S
//   STATE_F16   S/√S_n in f16, n the last token: |S| grows towards Σ γᵗ = 2⁵⁺ʰ, which f16 does not hold
//
// f16 is rounded up or down at random, in proportion to what is lost. Rounded to nearest, a state would not decay where 1 − γ
// is less than half of f16's last place (h > 6), nor take in what is small beside it.

#ifdef STATE_F16
const uint STATE_BYTES = 8;
#ifdef LONG_LOADS
layout(buffer_reference, std430, buffer_reference_align = 8) buffer StateView { uint64_t at[]; };
uvec2 stateWords(uint64_t stored) { return unpackUint2x32(stored); }
uint64_t storedWords(uvec2 words) { return packUint2x32(words); }
#else
layout(buffer_reference, std430, buffer_reference_align = 8) buffer StateView { uvec2 at[]; };
uvec2 stateWords(uvec2 stored) { return stored; }
uvec2 storedWords(uvec2 words) { return words; }
#endif

vec4 loadState(StateView state, uint i)
{
    const uvec2 words = stateWords(state.at[i]);
    return vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
}

// C. Wellons' integer hash lowbias32.
uint scramble(uint x)
{
    x = (x ^ x >> 16) * 0x7FEB352Du;
    x = (x ^ x >> 15) * 0x846CA68Bu;
    return x ^ x >> 16;
}

// `key` is another for each vector and token.
void storeState(StateView state, uint i, vec4 s, uint key)
{
    // f16 has 13 bits less than f32: random ones are added to them before they are cut off.
    const uint a = scramble(key);
    const uint b = scramble(a + 0x9E3779B9u);
    const uvec4 noise = uvec4(a & 0x1FFFu, a >> 19, b & 0x1FFFu, b >> 19);
    const vec4 held = uintBitsToFloat((floatBitsToUint(clamp(s, -65504.0, 65504.0)) + noise) & 0xFFFFE000u);
    state.at[i] = storedWords(uvec2(packHalf2x16(held.xy), packHalf2x16(held.zw)));
}

uint stateKey(uint vector, uint terms)
{
    return vector + scramble(terms);
}
#else
const uint STATE_BYTES = 16;
#ifdef LONG_LOADS
#define StateView LongQuads
vec4 loadState(StateView state, uint i) { return loadVector(state, i); }
void storeState(StateView state, uint i, vec4 s, uint key) { storeVector(state, i, s); }
#else
layout(buffer_reference, std430, buffer_reference_align = 16) buffer StateView { vec4 at[]; };
vec4 loadState(StateView state, uint i) { return state.at[i]; }
void storeState(StateView state, uint i, vec4 s, uint key) { state.at[i] = s; }
#endif
uint stateKey(uint vector, uint terms) { return 0; }
#endif

// √S_n, which S was divided by when `terms` = n + 1 tokens had been taken in; of a state of zeros anything will do.
float stateScale(vec2 gamma, uint terms)
{
#ifdef STATE_F16
    return terms == 0 ? 1.0 : sqrt(decaySum(gamma, float(terms)));
#else
    return 1.0;
#endif
}
