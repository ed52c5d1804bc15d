#version 460
// One token of retention in the recurrent form (arXiv 2307.08621, equation 6), un-normalised:
//
//   q̂ = R(nθ)·q,  k̂ = R(nθ)·k/√dk            rotation of interleaved pairs at position n
//   S ← γ·S + k̂·vᵀ,  o = q̂ᵀ·S                 state [dk][dv] of the head
//   y = silu(g) · o · w                        gate and weight of the head norm
//   squares = Σo² (+ dv·ε_n in tile 0)         so that the output product can finish the norm: y / √(squares/dv)
//
// ε_n = ε·S_n with S_n = (1 − γⁿ⁺¹)/(1 − γ) where torchscale divides by √S_n, else ε: RMSNorm(c·o; ε) =
// RMSNorm(o; ε/c²), so one un-normalised state serves every dialect.
//
// A workgroup owns one head and a tile of 4·TILE_LANES value columns. Threads run along the columns, four
// each; the remaining factor of the workgroup splits the key rows, and their sums meet in shared memory.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"
#ifdef LONG_LOADS
#define StateView LongQuads
#else
#define StateView Vectors
vec4 loadVector(Vectors vectors, uint i) { return vectors.at[i]; }
void storeVector(Vectors vectors, uint i, vec4 v) { vectors.at[i] = v; }
#endif
#include "activation.glsl"
#include "decay.glsl"
#include "rotation.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TILE_LANES = 8;
layout(constant_id = 2) const uint KEY_SIZE = 128;
layout(constant_id = 3) const bool GATED = true;
layout(constant_id = 4) const bool EPS_SCALED = true;

layout(push_constant, std430) uniform Arguments
{
    Floats q;           // [heads][KEY_SIZE]
    Floats k;           // [heads / group][KEY_SIZE]
    Floats v;           // [heads / group][valueSize]
    Floats g;           // [heads][valueSize]
    Floats headWeight;  // [valueSize]
    StateView state;    // [heads][KEY_SIZE][valueVectors]
    Pairs decay;        // [heads], (γ, ln γ)
    Phases angles;      // [KEY_SIZE / 2]
    Words position;     // [1] tokens consumed, this one included: n + 1
    Floats y;           // [heads][valueSize]
    Floats squares;     // [heads][tiles]
    uint valueSize;
    uint valueVectors;  // ⌈valueSize / 4⌉
    uint group;         // heads a key/value head serves
    float keyScale;     // 1/√dk
    float eps;
};

shared float queries[KEY_SIZE];
shared float keys[KEY_SIZE];
shared vec4 partial[gl_WorkGroupSize.x];

// q̂ and k̂ of this head into shared memory.
void rotateHead(uint head, uint n)
{
    const uint queryAt = head * KEY_SIZE;
    const uint keyAt = head / group * KEY_SIZE;
    for (uint i = 2 * gl_LocalInvocationID.x; i < KEY_SIZE; i += 2 * gl_WorkGroupSize.x)
    {
        const vec2 r = rotation(angles.at[i / 2], n);
        const vec2 query = rotate(vec2(q.at[queryAt + i], q.at[queryAt + i + 1]), r);
        const vec2 key = rotate(vec2(k.at[keyAt + i], k.at[keyAt + i + 1]), r) * keyScale;
        queries[i] = query.x;
        queries[i + 1] = query.y;
        keys[i] = key.x;
        keys[i + 1] = key.y;
    }
    barrier();
}

// The value columns that this thread holds; zero past the last one.
vec4 values(uint head, uint column)
{
    vec4 result = vec4(0.0);
    const uint at = head / group * valueSize + column;
    for (uint e = 0; e < 4; e++)
        if (column + e < valueSize)
            result[e] = v.at[at + e];
    return result;
}

// y and Σo² of the thread's columns.
float writeOutput(uint head, uint column, vec4 o)
{
    float sum = 0.0;
    for (uint e = 0; e < 4; e++)
    {
        if (column + e >= valueSize)
            break;
        const uint at = head * valueSize + column + e;
        const float gate = GATED ? silu(g.at[at]) : 1.0;
        y.at[at] = gate * o[e] * headWeight.at[column + e];
        sum += o[e] * o[e];
    }
    return sum;
}

void main()
{
    const uint head = gl_WorkGroupID.y;
    const uint tile = gl_WorkGroupID.x;
    const uint lane = gl_LocalInvocationID.x % TILE_LANES;
    const uint slice = gl_LocalInvocationID.x / TILE_LANES;
    const uint slices = gl_WorkGroupSize.x / TILE_LANES;
    const uint consumed = position.at[0];
    rotateHead(head, consumed - 1);

    const uint vector = tile * TILE_LANES + lane;
    vec4 o = vec4(0.0);
    if (vector < valueVectors)
    {
        const vec4 value = values(head, 4 * vector);
        const float gamma = decay.at[head].x;
        for (uint i = slice; i < KEY_SIZE; i += slices)
        {
            const uint at = (head * KEY_SIZE + i) * valueVectors + vector;
            const vec4 s = fma(vec4(keys[i]), value, gamma * loadVector(state, at));
            storeVector(state, at, s);
            o = fma(vec4(queries[i]), s, o);
        }
    }
    partial[gl_LocalInvocationID.x] = o;
    barrier();

    if (slice == 0)
    {
        for (uint i = 1; i < slices; i++)
            o += partial[i * TILE_LANES + lane];
        partial[lane].x = writeOutput(head, 4 * vector, o);
    }
    barrier();

    if (gl_LocalInvocationID.x == 0)
    {
        float sum = 0.0;
        for (uint i = 0; i < TILE_LANES; i++)
            sum += partial[i].x;
        if (tile == 0)
            sum += float(valueSize) * eps * (EPS_SCALED ? decaySum(decay.at[head], float(consumed)) : 1.0);
        squares.at[head * gl_NumWorkGroups.x + tile] = sum;
    }
}
