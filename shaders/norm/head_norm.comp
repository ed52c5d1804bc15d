#version 460
// What follows retention over many tokens, or where a head norm subtracts the mean: the norm of each head's output, its weight and the gate.
//
//   y = silu(g) · o · w / √(mean(o²) + ε_n)      o − mean(o) in place of o where the head norm is a LayerNorm
//
// ε_n = ε, or ε·S_n where torchscale divides by √S_n, S_n = Σ γᵗ for t = 0..n: RMSNorm(c·o; ε) = RMSNorm(o; ε/c²).
// torchscale's parallel form divides by a_n = clamp(Σ_m |score_nm| / √S_n, 1, 5·10⁴) as well (multiscale_retention.py,
// parallel_forward), which makes it ε·S_n·a_n². A workgroup a row and head; y may be o,
// but where it is f16 (HALF_OUTPUT).

#extension GL_GOOGLE_include_directive : require

#ifdef HALF_OUTPUT
#define HALF_FLOATS
#endif
#include "buffers.glsl"
#include "output.glsl"
#include "activation.glsl"
#include "decay.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint HEADS = 1;
layout(constant_id = 2) const bool GATED = true;
layout(constant_id = 3) const bool EPS_SCALED = true;
layout(constant_id = 4) const bool CLAMPED = false;
layout(constant_id = 5) const bool SUBTRACT_MEAN = false;
layout(constant_id = 6) const bool HALF_GATE = false; // with HALF_OUTPUT

layout(push_constant, std430) uniform Arguments
{
    Floats o;          // [rows][stride], HEADS · valueSize of each used
    OutputView y;      // [rows][stride]
    Floats g;          // [rows][gateStride], f32 or with HALF_GATE f16
    Floats headWeight; // [valueSize]
    Pairs decay;       // [HEADS], (γ, ln γ)
    Words positions;   // [rows], tokens consumed, this one included: n + 1
    Floats scores;     // CLAMPED: [rows][HEADS], Σ|score|
    uint stride;
    uint gateStride;
    uint valueSize;
    float eps;
};

#include "workgroup.glsl"

float gateAt(uint i)
{
#ifdef HALF_OUTPUT
    if (HALF_GATE)
        return float(Halves(g).at[i]);
#endif
    return g.at[i];
}

#include "head_norm.glsl"

void main()
{
    const uint row = gl_WorkGroupID.x / HEADS;
    const uint head = gl_WorkGroupID.x % HEADS;
    const uint at = row * stride + head * valueSize;
    float mean = 0.0;
    if (SUBTRACT_MEAN)
    {
        float sum = 0.0;
        for (uint i = gl_LocalInvocationID.x; i < valueSize; i += gl_WorkGroupSize.x)
            sum += o.at[at + i];
        mean = workgroupSum(sum) / float(valueSize);
    }

    float squares = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < valueSize; i += gl_WorkGroupSize.x)
    {
        const float centred = o.at[at + i] - mean;
        squares += centred * centred;
    }
    const float scale = inversesqrt(workgroupSum(squares) / float(valueSize) + epsilon(row, head));
    for (uint i = gl_LocalInvocationID.x; i < valueSize; i += gl_WorkGroupSize.x)
    {
        const float gate = GATED ? silu(gateAt(row * gateStride + head * valueSize + i)) : 1.0;
        y.at[at + i] = stored((o.at[at + i] - mean) * gate * scale * headWeight.at[i]);
    }
}
