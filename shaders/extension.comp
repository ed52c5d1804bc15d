#version 460
// Compiles where the compiler knows the GLSL extension that the macro EXTENSION names: a known one is a macro of value 1.
#if EXTENSION != 1
#error The compiler does not know this extension.
#endif

void main()
{
}
