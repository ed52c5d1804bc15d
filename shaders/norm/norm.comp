#version 460
// Norm of rows of the residual stream, where no product normalises as it reads (matvec.glsl does RMSNorm):
//
//   RMSNorm    y = x · w / √(mean(x²) + ε)
//   LayerNorm  y = (x − mean(x)) · w / √(var(x) + ε) + b
//
// A workgroup a row; x and y may be the same, but where y is f16 (HALF_OUTPUT).

#extension GL_GOOGLE_include_directive : require

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

void main()
{
    const uint row = gl_WorkGroupID.x * stride;
    const uint thread = gl_LocalInvocationID.x;
    float mean = 0.0;
    if (SUBTRACT_MEAN)
    {
        float sum = 0.0;
        for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
            sum += x.at[row + i];
        mean = workgroupSum(sum) / float(columns);
    }

    float squares = 0.0;
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
    {
        const float centred = x.at[row + i] - mean;
        squares += centred * centred;
    }
    const float scale = inversesqrt(workgroupSum(squares) / float(columns) + eps);
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
        y.at[row + i] = stored(fma((x.at[row + i] - mean) * scale, weight.at[i], bias.at[i]));
}
