#version 460
// y = W·in(x), the product that decoding is made of: W is read once, streamed 16 bytes a lane.
//
//   in(x)  INPUT_PLAIN  x
//          INPUT_RMS    x · w / √(mean(x²) + ε)      pre-norm; the mean is gathered while x passes by
//          INPUT_HEADS  x_h / √(mean(o_h²) + ε_h)    head norm of retention; the retention kernel left Σo² behind
//   y      OUTPUT_STORE W·in(x)
//          OUTPUT_ADD   α·y + W·in(x)                residual
//          OUTPUT_GLU   act(W₁·in(x)) · (W₂·in(x))   W = [W₁; W₂], rows of both halves together
//
// A subgroup owns ROWS rows (of each half); its lanes stride over the runs of a row, so that a load of the
// subgroup is one contiguous piece of the row, and x, loaded once, serves ROWS rows from registers.

#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

#include "buffers.glsl"
#include "weights.glsl"
#include "activation.glsl"

const uint INPUT_PLAIN = 0;
const uint INPUT_RMS = 1;
const uint INPUT_HEADS = 2;
const uint OUTPUT_STORE = 0;
const uint OUTPUT_ADD = 1;
const uint OUTPUT_GLU = 2;

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint ROWS = 4;
layout(constant_id = 2) const uint INPUT = INPUT_PLAIN;
layout(constant_id = 3) const uint OUTPUT = OUTPUT_STORE;
layout(constant_id = 4) const uint ACTIVATION = ACTIVATION_SILU;
layout(constant_id = 5) const uint HEADS = 1;
layout(constant_id = 6) const uint HEAD_SIZE = 4;

const uint HALVES = OUTPUT == OUTPUT_GLU ? 2 : 1;

layout(push_constant, std430) uniform Arguments
{
    Quads weights;      // [HALVES · rows][runs]
    Words scales;       // f16 [HALVES · rows][runs · RUN / 32], two a word
    Vectors x;          // [runs · RUN], zero past `columns`
    Vectors normWeight; // INPUT_RMS: [runs · RUN]
    Floats headSquares; // INPUT_HEADS: [HEADS][headTiles], Σo² of each tile
    Floats y;           // [rows]
    uint rows;
    uint runs;          // runs a row
    uint columns;
    uint headTiles;
    float eps;          // INPUT_RMS
    float residualScale;
};

shared float headScale[HEADS];

void prepareHeads()
{
    for (uint h = gl_LocalInvocationID.x; h < HEADS; h += gl_WorkGroupSize.x)
    {
        float squares = 0.0;
        for (uint t = 0; t < headTiles; t++)
            squares += headSquares.at[h * headTiles + t];
        headScale[h] = inversesqrt(squares / float(HEAD_SIZE));
    }
    barrier();
}

// The four inputs of vector i, and their part of Σx² where the norm wants it.
vec4 inputVector(uint i, inout float squares)
{
    vec4 v = x.at[i];
    if (INPUT == INPUT_RMS)
    {
        squares += dot(v, v);
        v *= normWeight.at[i];
    }
    else if (INPUT == INPUT_HEADS)
    {
        // Past the last column v is zero and any head will do.
        if (HEAD_SIZE % 4 == 0)
            v *= headScale[min(4 * i / HEAD_SIZE, HEADS - 1)];
        else
            for (uint e = 0; e < 4; e++)
                v[e] *= headScale[min((4 * i + e) / HEAD_SIZE, HEADS - 1)];
    }
    return v;
}

void main()
{
    if (INPUT == INPUT_HEADS)
        prepareHeads();

    const uint subgroups = gl_NumWorkGroups.x * gl_NumSubgroups;
    const uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    for (uint first = subgroup * ROWS; first < rows; first += subgroups * ROWS)
    {
        float sums[HALVES][ROWS];
        for (uint half_ = 0; half_ < HALVES; half_++)
            for (uint r = 0; r < ROWS; r++)
                sums[half_][r] = 0.0;
        float squares = 0.0;

        for (uint run = gl_SubgroupInvocationID; run < runs; run += gl_SubgroupSize)
        {
            vec4 v[RUN_VECTORS];
            for (uint i = 0; i < RUN_VECTORS; i++)
                v[i] = inputVector(run * RUN_VECTORS + i, squares);

            for (uint half_ = 0; half_ < HALVES; half_++)
                for (uint r = 0; r < ROWS; r++)
                {
                    const uint row = half_ * rows + min(first + r, rows - 1);
                    const uint at = row * runs + run;
                    vec4 w[RUN_VECTORS];
                    unpackRun(weights.at[at], w);
                    vec4 products = w[0] * v[0];
                    for (uint i = 1; i < RUN_VECTORS; i++)
                        products = fma(w[i], v[i], products);
                    const float sum = (products.x + products.y) + (products.z + products.w);
                    sums[half_][r] = fma(runScale(scales, at), sum, sums[half_][r]);
                }
        }

        float scale = 1.0;
        if (INPUT == INPUT_RMS)
            scale = inversesqrt(subgroupAdd(squares) / float(columns) + eps);
        for (uint r = 0; r < ROWS; r++)
        {
            float value = subgroupAdd(sums[0][r]) * scale;
            if (OUTPUT == OUTPUT_GLU)
                value = activate(value, ACTIVATION) * (subgroupAdd(sums[HALVES - 1][r]) * scale);
            if (subgroupElect() && first + r < rows)
            {
                if (OUTPUT == OUTPUT_ADD)
                    value += residualScale * y.at[first + r];
                y.at[first + r] = value;
            }
        }
    }
}
