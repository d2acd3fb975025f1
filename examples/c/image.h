#ifndef ANSWER_IMAGE_H
#define ANSWER_IMAGE_H

#include <concertina/concertina.h>

/* Reads a binary PPM (P6) or PGM (P5) file of 8 bits, takes the nearest pixels at the model's size, and
 * normalises them: values [channels][height][width]. Returns 0 if the file is no such image. */
int read_image(const char* path, const concertina_image_info* info, float* values);

#endif
