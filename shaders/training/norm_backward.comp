#version 460
// Gradient of a norm (norm/norm.comp) with respect to its input. With x̂ = (x − μ)·r, r = 1/√(mean((x − μ)²) + ε), e = dy · w:
//
//   RMSNorm    dx = r · (e − x̂ · mean(e · x̂))            μ = 0
//   LayerNorm  dx = r · (e − mean(e) − x̂ · mean(e · x̂))  μ = mean(x)
//
// ACCUMULATE: it is added to keep · dx, what reaches x past the sub-layer. (μ, r) are left for norm_weight.comp. A workgroup a row.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool SUBTRACT_MEAN = false;
layout(constant_id = 2) const bool ACCUMULATE = false;

layout(push_constant, std430) uniform Arguments
{
    Floats x;       // [rows][stride]
    Floats dy;      // [rows][stride]
    Floats weight;  // [columns]
    Floats dx;      // [rows][stride]
    Floats moments; // [rows][2], (μ, r)
    uint columns;
    uint stride;
    float eps;
    float keep;
};

#include "workgroup.glsl"

void main()
{
    const uint row = gl_WorkGroupID.x * stride;
    const uint thread = gl_LocalInvocationID.x;
    const uint step = gl_WorkGroupSize.x;
    float mean = 0.0;
    if (SUBTRACT_MEAN)
    {
        float sum = 0.0;
        for (uint i = thread; i < columns; i += step)
            sum += x.at[row + i];
        mean = workgroupSum(sum) / float(columns);
    }

    float squares = 0.0;
    float sumE = 0.0;
    float sumEX = 0.0;
    for (uint i = thread; i < columns; i += step)
    {
        const float centred = x.at[row + i] - mean;
        const float e = dy.at[row + i] * weight.at[i];
        squares = fma(centred, centred, squares);
        sumE += e;
        sumEX = fma(e, centred, sumEX);
    }
    const float r = inversesqrt(workgroupSum(squares) / float(columns) + eps);
    const float meanE = SUBTRACT_MEAN ? workgroupSum(sumE) / float(columns) : 0.0;
    const float meanEX = workgroupSum(sumEX) * r / float(columns);
    for (uint i = thread; i < columns; i += step)
    {
        const float normed = (x.at[row + i] - mean) * r;
        const float gradient = r * (dy.at[row + i] * weight.at[i] - meanE - normed * meanEX);
        dx.at[row + i] = ACCUMULATE ? fma(keep, dx.at[row + i], gradient) : gradient;
    }
    if (thread == 0)
    {
        moments.at[2 * gl_WorkGroupID.x] = mean;
        moments.at[2 * gl_WorkGroupID.x + 1] = r;
    }
}
