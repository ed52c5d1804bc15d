#version 460
// What gradients are multiplied with before an update, from their squares (squares.comp), as torch.nn.utils.clip_grad_norm_ does after a division by the
// loss' scale:
//
//   norm = √Σ / lossScale,   factor = min(1, clip / (norm + 10⁻⁶)) / lossScale
//
// A factor of zero where the norm is not finite: then an update changes nothing. One workgroup.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in; // a power of two

layout(push_constant, std430) uniform Arguments
{
    Floats partials; // [count]
    Floats settings; // 0: the loss' scale, 1: the largest norm; 0 for any
    Floats result;   // factor, norm
    uint count;
};

#include "workgroup.glsl"

void main()
{
    float part = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < count; i += gl_WorkGroupSize.x)
        part += partials.at[i];
    const float sum = workgroupSum(part);
    if (gl_LocalInvocationID.x != 0)
        return;
    const float lossScale = settings.at[0];
    const float most = settings.at[1];
    const float norm = sqrt(sum) / lossScale;
    // By the bits, since compilers may take it that there are no others.
    const bool finite = (floatBitsToUint(sum) & 0x7F800000u) != 0x7F800000u;
    result.at[0] = finite ? (most > 0.0 ? min(1.0, most / (norm + 1e-6)) : 1.0) / lossScale : 0.0;
    result.at[1] = norm;
}
