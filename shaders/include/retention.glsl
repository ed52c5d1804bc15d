// What the kernels of one token of retention in the recurrent form share (arXiv 2307.08621, equation 6), un-normalised:
//
//   q̂ = R(nθ)·q,  k̂ = R(nθ)·k/√dk            rotation of interleaved pairs at position n
//   S ← γ·S + k̂·vᵀ,  o = q̂ᵀ·S                 state [dk][dv] of the head
//   y = silu(g) · o · w                        gate and weight of the head norm
//   squares = Σo² (+ dv·ε_n in tile 0)         so that the output product can finish the norm: y / √(squares/dv)
//
// HALF_OUTPUT: o/√S_n in place of o and ε_n/S_n in place of ε_n, which leaves the norm as it is, and y in f16, which does not hold o.
//
// ε_n = ε·S_n with S_n = (1 − γⁿ⁺¹)/(1 − γ) where torchscale divides by √S_n, else ε: RMSNorm(c·o; ε) =
// RMSNorm(o; ε/c²), so one un-normalised state serves every dialect.
//
// The kernel says as what it reads and writes single floats: FloatView. A workgroup owns one head of one sequence and a tile of 4·TILE_LANES value columns, four a thread. A sequence without steps
// left is skipped. Where the head norm is a dispatch of its own, WEIGHTED and GATED are off and y = o.

#ifdef HALF_OUTPUT
#define HALF_FLOATS
#endif
#include "buffers.glsl"
#include "activation.glsl"
#include "decay.glsl"
#include "state.glsl"
#include "rotation.glsl"

#ifdef HALF_OUTPUT
#define RetainedView Halves
#define retained(v) toHalf(v)
#else
#define RetainedView FloatView
#define retained(v) (v)
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_LANES = 8;
layout(constant_id = 2) const uint KEY_SIZE = 128;
layout(constant_id = 3) const bool GATED = true;
layout(constant_id = 4) const bool EPS_SCALED = true;
layout(constant_id = 5) const bool WEIGHTED = true;

layout(push_constant, std430) uniform Arguments
{
    FloatView projections; // [sequences][stride]: q [heads][KEY_SIZE], k [heads / group][KEY_SIZE], v [heads / group][valueSize], g [heads][valueSize]
    Floats headWeight;  // [valueSize]
    StateView state;    // [sequences][slotVectors], [heads][KEY_SIZE][valueVectors] of each used
    Pairs decay;        // [heads], (γ, ln γ)
    Phases angles;      // [KEY_SIZE / 2]
    Words positions;    // [sequences], tokens consumed, this one included: n + 1
    Words stepsLeft;    // [sequences]
    RetainedView y;     // [sequences][outputStride], [heads][valueSize] of each used
    FloatView squares;  // [sequences][heads][tiles]
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

// A pair of rows of q and k of a head as they were projected: (q, q', k, k').
vec4 projectedPair(uint sequence, uint head, uint i)
{
    const uint queryAt = sequence * stride + head * KEY_SIZE + 2 * i;
    const uint keyAt = sequence * stride + keysAt() + head / group * KEY_SIZE + 2 * i;
    return vec4(projections.at[queryAt], projections.at[queryAt + 1], projections.at[keyAt], projections.at[keyAt + 1]);
}

// From these to (q̂, q̂', k̂, k̂').
vec4 rotatePair(vec4 pair, vec2 r)
{
    return vec4(rotate(pair.xy, r), rotate(pair.zw, r) * keyScale);
}

// Four columns of a row of the projections that begins at `at`; `other` past the last one.
vec4 projectedColumns(uint at, uint column, float other)
{
    vec4 result = vec4(other);
    for (uint e = 0; e < 4; e++)
        if (column + e < valueSize)
            result[e] = projections.at[at + column + e];
    return result;
}

// The value columns that this thread holds; zero past the last one.
vec4 values(uint sequence, uint head, uint column)
{
    return projectedColumns(sequence * stride + valuesAt() + head / group * valueSize, column, 0.0);
}

// What its columns of the output are gated with, before silu.
vec4 gates(uint sequence, uint head, uint column)
{
    return GATED ? projectedColumns(sequence * stride + gatesAt() + head * valueSize, column, 0.0) : vec4(0.0);
}

vec4 headWeights(uint column)
{
    vec4 result = vec4(1.0);
    if (WEIGHTED)
        for (uint e = 0; e < 4; e++)
            if (column + e < valueSize)
                result[e] = headWeight.at[column + e];
    return result;
}

// y and Σo² of the thread's columns.
float writeOutput(uint sequence, uint head, uint column, vec4 o, vec4 gate, vec4 weight)
{
    float sum = 0.0;
    for (uint e = 0; e < 4; e++)
        if (column + e < valueSize)
        {
            y.at[sequence * outputStride + head * valueSize + column + e] = retained((GATED ? silu(gate[e]) : 1.0) * o[e] * weight[e]);
            sum += o[e] * o[e];
        }
    return sum;
}

// What o is multiplied with before it becomes y and Σo².
float outputScale(vec2 gamma, uint consumed)
{
#ifdef HALF_OUTPUT
    return inversesqrt(decaySum(gamma, float(consumed)));
#else
    return 1.0;
#endif
}

// dv·ε_n, which tile 0 adds to its Σo².
float normAddend(uint head, uint consumed)
{
    const vec2 gamma = decay.at[head];
    const float scale = outputScale(gamma, consumed);
    return float(valueSize) * eps * scale * scale * (EPS_SCALED ? decaySum(gamma, float(consumed)) : 1.0);
}
