// Sums over a workgroup, whose size is a power of two.

shared float workgroupPartial[gl_WorkGroupSize.x];

// Σ value over all threads, the same for each.
float workgroupSum(float value)
{
    const uint thread = gl_LocalInvocationID.x;
    workgroupPartial[thread] = value;
    barrier();
    for (uint width = gl_WorkGroupSize.x / 2; width > 0; width /= 2)
    {
        if (thread < width)
            workgroupPartial[thread] += workgroupPartial[thread + width];
        barrier();
    }
    const float sum = workgroupPartial[0];
    barrier();
    return sum;
}
