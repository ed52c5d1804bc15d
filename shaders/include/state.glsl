// Elements of a retention state, a vector of four value columns at a time.
//
//   f32         S
//   STATE_F16   S/√S_n in f16, n the last token: |S| grows towards Σ γᵗ = 2⁵⁺ʰ, which f16 does not hold

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

void storeState(StateView state, uint i, vec4 s)
{
    const vec4 held = clamp(s, -65504.0, 65504.0);
    state.at[i] = storedWords(uvec2(packHalf2x16(held.xy), packHalf2x16(held.zw)));
}
#else
const uint STATE_BYTES = 16;
#ifdef LONG_LOADS
#define StateView LongQuads
vec4 loadState(StateView state, uint i) { return loadVector(state, i); }
void storeState(StateView state, uint i, vec4 s) { storeVector(state, i, s); }
#else
#define StateView Vectors
vec4 loadState(StateView state, uint i) { return state.at[i]; }
void storeState(StateView state, uint i, vec4 s) { state.at[i] = s; }
#endif
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
