#version 460
// Gradients of head norm and gate (norm/head_norm.comp). With x̂ = (o − μ)·r, r = 1/√(mean((o − μ)²) + ε_n), e = dy · silu(g) · w:
//
//   do = r · (e − x̂ · mean(e · x̂))                       − mean(e) too, and μ = mean(o), where the head norm is a LayerNorm
//   dg = dy · x̂ · w · silu'(g)
//   dw = Σ dy · silu(g) · x̂                              WEIGHTED: dy becomes what is to be summed over rows and heads
//
// ε_n is a constant: it depends on the position only, and torchscale detaches the sum of scores that its parallel form clamps.
// A workgroup a row and head.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"
#include "activation.glsl"
#include "decay.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint HEADS = 1;
layout(constant_id = 2) const bool GATED = true;
layout(constant_id = 3) const bool EPS_SCALED = true;
layout(constant_id = 4) const bool CLAMPED = false;
layout(constant_id = 5) const bool SUBTRACT_MEAN = false;
layout(constant_id = 6) const bool WEIGHTED = false;

layout(push_constant, std430) uniform Arguments
{
    Floats o;          // [rows][stride], HEADS · valueSize of each used
    Floats dy;         // [rows][stride]
    Floats dO;         // [rows][stride]
    Floats g;          // GATED: [rows][gateStride]
    Floats dg;         // GATED: [rows][gateStride]
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
#include "head_norm.glsl"

void main()
{
    const uint row = gl_WorkGroupID.x / HEADS;
    const uint head = gl_WorkGroupID.x % HEADS;
    const uint at = row * stride + head * valueSize;
    const uint gateAt = row * gateStride + head * valueSize;
    const uint thread = gl_LocalInvocationID.x;
    const uint step = gl_WorkGroupSize.x;
    float mean = 0.0;
    if (SUBTRACT_MEAN)
    {
        float sum = 0.0;
        for (uint i = thread; i < valueSize; i += step)
            sum += o.at[at + i];
        mean = workgroupSum(sum) / float(valueSize);
    }

    float squares = 0.0;
    float sumE = 0.0;
    float sumEX = 0.0;
    for (uint i = thread; i < valueSize; i += step)
    {
        const float centred = o.at[at + i] - mean;
        const float e = dy.at[at + i] * (GATED ? silu(g.at[gateAt + i]) : 1.0) * headWeight.at[i];
        squares = fma(centred, centred, squares);
        sumE += e;
        sumEX = fma(e, centred, sumEX);
    }
    const float r = inversesqrt(workgroupSum(squares) / float(valueSize) + epsilon(row, head));
    const float meanE = SUBTRACT_MEAN ? workgroupSum(sumE) / float(valueSize) : 0.0;
    const float meanEX = workgroupSum(sumEX) * r / float(valueSize);
    for (uint i = thread; i < valueSize; i += step)
    {
        const float normed = (o.at[at + i] - mean) * r;
        const float d = dy.at[at + i];
        const float weight = headWeight.at[i];
        const float gate = GATED ? silu(g.at[gateAt + i]) : 1.0;
        dO.at[at + i] = r * (d * gate * weight - meanE - normed * meanEX);
        if (GATED)
            dg.at[gateAt + i] = d * normed * weight * siluDerivative(g.at[gateAt + i]);
        if (WEIGHTED)
            dy.at[at + i] = d * gate * normed;
    }
}
