#include "image.h"

#include <stdio.h>
#include <stdlib.h>

struct pixels {
  int channels, height, width;
  unsigned char* bytes; /* [height][width][channels] */
};

/* The next number of a header, past spaces and comments; -1 if there is none. */
static int read_number(FILE* file) {
  int number, c = getc(file);
  while (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '#') {
    while (c == '#') {
      while (c != '\n' && c != EOF) c = getc(file);
    }
    c = getc(file);
  }
  ungetc(c, file);
  return fscanf(file, "%5d", &number) == 1 ? number : -1;
}

static int read_pixels(FILE* file, struct pixels* image) {
  const int magic = getc(file) == 'P' ? getc(file) : EOF;
  size_t size;
  image->channels = magic == '6' ? 3 : 1;
  image->width = read_number(file);
  image->height = read_number(file);
  if ((magic != '5' && magic != '6') || image->width < 1 || image->height < 1 || read_number(file) != 255) return 0;
  getc(file); /* the one space after the header */
  size = (size_t)image->channels * (size_t)image->width * (size_t)image->height;
  image->bytes = malloc(size);
  return image->bytes != NULL && fread(image->bytes, 1, size, file) == size;
}

/* Of one channel where the file has one; the model's channels are R, G, B or gray. */
static float pixel(const struct pixels* image, int channel, int channels, int y, int x) {
  const unsigned char* at = image->bytes + ((size_t)y * (size_t)image->width + (size_t)x) * (size_t)image->channels;
  if (image->channels == 1) return (float)at[0];
  if (channels == 1) return 0.299F * (float)at[0] + 0.587F * (float)at[1] + 0.114F * (float)at[2];
  return (float)at[channel % 3];
}

static void normalise(const struct pixels* image, const concertina_image_info* info, float* values) {
  int c, y, x;
  for (c = 0; c < info->channels; ++c) {
    for (y = 0; y < info->height; ++y) {
      for (x = 0; x < info->width; ++x) {
        const float value = pixel(image, c, info->channels, y * image->height / info->height,
                                  x * image->width / info->width);
        *values++ = (value / 255 - info->mean[c]) / info->stddev[c];
      }
    }
  }
}

int read_image(const char* path, const concertina_image_info* info, float* values) {
  struct pixels image = {0, 0, 0, NULL};
  FILE* file = fopen(path, "rb");
  const int ok = file != NULL && read_pixels(file, &image);
  if (ok) normalise(&image, info, values);
  free(image.bytes);
  if (file != NULL) fclose(file);
  return ok;
}
