#version 460
// Norm of rows of the residual stream, where no product normalises as it reads (matvec.glsl does RMSNorm):
//
//   RMSNorm    y = x · w / √(mean(x²) + ε)
//   LayerNorm  y = (x − mean(x)) · w / √(var(x) + ε) + b
//
// A workgroup a row; x and y may be the same, but where y is f16 (HALF_OUTPUT).

#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require

#ifdef HALF_OUTPUT
#define HALF_FLOATS
#endif
#include "buffers.glsl"
#include "output.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool SUBTRACT_MEAN = false;

layout(push_constant, std430) uniform Arguments
{
    Floats x;      // [rows][stride]
    OutputView y;  // [rows][stride]
    Floats weight; // [columns]
    Floats bias;   // [columns]
    uint columns;
    uint stride;
    float eps;
};

#include "workgroup.glsl"

// Of a row, what a thread keeps in registers; longer rows are read again.
const uint KEPT = 8;

void main()
{
    const uint row = gl_WorkGroupID.x * stride;
    const uint thread = gl_LocalInvocationID.x;
    const uint step = gl_WorkGroupSize.x;
    float kept[KEPT];
    [[unroll]] for (uint k = 0; k < KEPT; k++)
        kept[k] = thread + k * step < columns ? x.at[row + thread + k * step] : 0.0;

    float mean = 0.0;
    if (SUBTRACT_MEAN)
    {
        float sum = 0.0;
        [[unroll]] for (uint k = 0; k < KEPT; k++)
            sum += kept[k];
        for (uint i = thread + KEPT * step; i < columns; i += step)
            sum += x.at[row + i];
        mean = workgroupSum(sum) / float(columns);
    }

    float squares = 0.0;
    [[unroll]] for (uint k = 0; k < KEPT; k++)
        if (thread + k * step < columns)
            squares += (kept[k] - mean) * (kept[k] - mean);
    for (uint i = thread + KEPT * step; i < columns; i += step)
        squares += (x.at[row + i] - mean) * (x.at[row + i] - mean);
    const float scale = inversesqrt(workgroupSum(squares) / float(columns) + eps);
    [[unroll]] for (uint k = 0; k < KEPT; k++)
    {
        const uint i = thread + k * step;
        if (i < columns)
            y.at[row + i] = stored(fma((kept[k] - mean) * scale, weight.at[i], bias.at[i]));
    }
    for (uint i = thread + KEPT * step; i < columns; i += step)
        y.at[row + i] = stored(fma((x.at[row + i] - mean) * scale, weight.at[i], bias.at[i]));
}
