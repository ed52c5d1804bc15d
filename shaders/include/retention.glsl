// What the kernels of one token of retention in the recurrent form share (arXiv 2307.08621, equation 6), un-normalised:
//
//   q̂ = R(nθ)·q,  k̂ = R(nθ)·k/√dk            rotation of interleaved pairs at position n
//   S ← γ·S + k̂·vᵀ,  o = q̂ᵀ·S                 state [dk][dv] of the head
//   y = silu(g) · o · w                        gate and weight of the head norm
//   squares = Σo² (+ dv·ε_n in tile 0)         so that the output product can finish the norm: y / √(squares/dv)
//
// ε_n = ε·S_n with S_n = (1 − γⁿ⁺¹)/(1 − γ) where torchscale divides by √S_n, else ε: RMSNorm(c·o; ε) =
// RMSNorm(o; ε/c²), so one un-normalised state serves every dialect.
//
// A workgroup owns one head of one sequence and a tile of 4·TILE_LANES value columns, four a thread. A sequence without steps
// left is skipped. Where the head norm is a dispatch of its own, WEIGHTED and GATED are off and y = o.

#include "buffers.glsl"
#include "activation.glsl"
#include "decay.glsl"
#include "state.glsl"
#include "rotation.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_LANES = 8;
layout(constant_id = 2) const uint KEY_SIZE = 128;
layout(constant_id = 3) const bool GATED = true;
layout(constant_id = 4) const bool EPS_SCALED = true;
layout(constant_id = 5) const bool WEIGHTED = true;

layout(push_constant, std430) uniform Arguments
{
    Floats projections; // [sequences][stride]: q [heads][KEY_SIZE], k [heads / group][KEY_SIZE], v [heads / group][valueSize], g [heads][valueSize]
    Floats headWeight;  // [valueSize]
    StateView state;    // [sequences][slotVectors], [heads][KEY_SIZE][valueVectors] of each used
    Pairs decay;        // [heads], (γ, ln γ)
    Phases angles;      // [KEY_SIZE / 2]
    Words positions;    // [sequences], tokens consumed, this one included: n + 1
    Words stepsLeft;    // [sequences]
    Floats y;           // [sequences][outputStride], [heads][valueSize] of each used
    Floats squares;     // [sequences][heads][tiles]
    uint stride;
    uint outputStride;
    uint slotVectors;
    uint valueSize;
    uint valueVectors;  // ⌈valueSize / 4⌉
    uint group;         // heads a key/value head serves
    float keyScale;     // 1/√dk
    float eps;
};

// Where k, v and g begin in a row of the projections.
uint keysAt() { return gl_NumWorkGroups.y * KEY_SIZE; }
uint valuesAt() { return keysAt() + gl_NumWorkGroups.y / group * KEY_SIZE; }
uint gatesAt() { return valuesAt() + gl_NumWorkGroups.y / group * valueSize; }

// A pair of rows of q̂ and k̂ of a head: (q̂, q̂', k̂, k̂').
vec4 rotatedPair(uint sequence, uint head, uint i, uint n)
{
    const uint queryAt = sequence * stride + head * KEY_SIZE + 2 * i;
    const uint keyAt = sequence * stride + keysAt() + head / group * KEY_SIZE + 2 * i;
    const vec2 r = rotation(angles.at[i], n);
    const vec2 query = rotate(vec2(projections.at[queryAt], projections.at[queryAt + 1]), r);
    const vec2 key = rotate(vec2(projections.at[keyAt], projections.at[keyAt + 1]), r) * keyScale;
    return vec4(query, key);
}

// The value columns that this thread holds; zero past the last one.
vec4 values(uint sequence, uint head, uint column)
{
    vec4 result = vec4(0.0);
    const uint at = sequence * stride + valuesAt() + head / group * valueSize + column;
    for (uint e = 0; e < 4; e++)
        if (column + e < valueSize)
            result[e] = projections.at[at + e];
    return result;
}

// y and Σo² of the thread's columns.
float writeOutput(uint sequence, uint head, uint column, vec4 o)
{
    float sum = 0.0;
    for (uint e = 0; e < 4; e++)
    {
        if (column + e >= valueSize)
            break;
        const uint at = head * valueSize + column + e;
        const float gate = GATED ? silu(projections.at[sequence * stride + gatesAt() + at]) : 1.0;
        y.at[sequence * outputStride + at] = gate * o[e] * (WEIGHTED ? headWeight.at[column + e] : 1.0);
        sum += o[e] * o[e];
    }
    return sum;
}

// dv·ε_n, which tile 0 adds to its Σo².
float normAddend(uint head, uint consumed)
{
    return float(valueSize) * eps * (EPS_SCALED ? decaySum(decay.at[head], float(consumed)) : 1.0);
}
