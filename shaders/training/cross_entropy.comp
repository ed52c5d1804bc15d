#version 460
// Loss of rows of logits and its gradient, in place of the logits:
//
//   loss = −ln p_t,   logit_i ← (p_i − [i = t]) · scale,   p = softmax(logits)
//
// p from the logits less their largest, so that nothing overflows. The target IGNORED has no loss and a gradient of zero. A workgroup a row; the same
// row gives the same bits each time. Without GRADIENT the logits stay.

#extension GL_GOOGLE_include_directive : require

#include "buffers.glsl"

layout(local_size_x_id = 0) in; // a power of two
layout(constant_id = 1) const bool GRADIENT = true;

layout(push_constant, std430) uniform Arguments
{
    Floats logits; // [rows][stride]
    Words targets; // [rows], below columns or IGNORED
    Floats losses; // [rows]
    Floats scale;  // [1]
    uint columns;
    uint stride;
};

#include "workgroup.glsl"

const uint IGNORED = 0xFFFFFFFFu;

// The largest value of all threads, the same for each.
float workgroupMax(float value)
{
    const uint thread = gl_LocalInvocationID.x;
    workgroupPartial[thread] = value;
    barrier();
    for (uint width = gl_WorkGroupSize.x / 2; width > 0; width /= 2)
    {
        if (thread < width)
            workgroupPartial[thread] = max(workgroupPartial[thread], workgroupPartial[thread + width]);
        barrier();
    }
    const float largest = workgroupPartial[0];
    barrier();
    return largest;
}

void main()
{
    const uint row = gl_WorkGroupID.x;
    const uint thread = gl_LocalInvocationID.x;
    const uint target = targets.at[row];
    const uint first = row * stride;
    if (target == IGNORED)
    {
        if (thread == 0)
            losses.at[row] = 0.0;
        if (GRADIENT)
            for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
                logits.at[first + i] = 0.0;
        return;
    }

    float own = logits.at[first + min(thread, columns - 1)];
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
        own = max(own, logits.at[first + i]);
    const float largest = workgroupMax(own);

    float part = 0.0;
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
        part += exp(logits.at[first + i] - largest);
    const float sum = workgroupSum(part);
    if (thread == 0)
        losses.at[row] = log(sum) - (logits.at[first + target] - largest);
    if (!GRADIENT)
        return;

    // The target's logit is read before it is overwritten.
    barrier();
    const float factor = scale.at[0] / sum;
    for (uint i = thread; i < columns; i += gl_WorkGroupSize.x)
    {
        const float p = exp(logits.at[first + i] - largest) * factor;
        logits.at[first + i] = i == target ? p - scale.at[0] : p;
    }
}
