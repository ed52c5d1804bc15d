// scale · E[token] into x from vector `at` on, by the whole workgroup.
void embed(Quads weights, Words scales, uint token, Vectors x, uint at, uint runs, float scale)
{
    for (uint run = gl_LocalInvocationID.x; run < runs; run += gl_WorkGroupSize.x)
    {
        const uint block = run * RUN / BLOCK;
        vec4 w[RUN_VECTORS];
        unpackRun(weights.at[quadAt(rowStart(token, runs), run)], w);
        const float factor = scale * blockScale(loadScales(scales, token, runs, block), block);
        for (uint i = 0; i < RUN_VECTORS; i++)
            x.at[at + run * RUN_VECTORS + i] = factor * w[i];
    }
}
