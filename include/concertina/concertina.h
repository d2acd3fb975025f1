/**
 * Concertina for C and for what calls C: a CNN of many sizes, and a runtime that picks the size for each run.
 * C99 and C++; C++ programs have more comfort with model.h, session.h and adaptive_session.h.
 *
 * Objects. What a function gives through a pointer to a handle belongs to the caller, who frees it with the
 * function of its type; freeing NULL does nothing. Strings and arrays that the library gives belong to the
 * model they were asked of and live as long as it does; nobody else frees them. What the caller gives is read
 * during the call and not kept.
 *
 * Errors. Every function that can fail returns a concertina_status and takes a concertina_error of the
 * caller's, or NULL if the sentence is not wanted. It is plain memory: there is nothing to free, no state of
 * a thread that the next call overwrites, and a message even where memory has run out. A function that fails
 * gives no object, and leaves results as they were. No C++ exception leaves the library, and nothing prints.
 *
 * Threads. A model never changes: any number of threads and sessions may use it. A session is for one thread
 * at a time; concertina_adaptive_allow_from() alone may be called beside a run.
 *
 * Growth. Every struct but concertina_error begins with its size, which the caller sets:
 *
 *     concertina_budget budget = {.struct_size = sizeof budget, .deadline_ms = 8};
 *
 * A field that is 0, as the others are here, has the default that stands beside it, if one does. Later
 * versions only add fields at the end, functions, and values of enums: a program goes on running, without
 * being compiled anew, with every library of the same SONAME (docs/library.md).
 */
#ifndef CONCERTINA_CONCERTINA_H
#define CONCERTINA_CONCERTINA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The library's version, "0.1.0". */
const char* concertina_version(void);

/** Treat values that are not here as failures too. Do not renumber. */
typedef enum concertina_status {
  CONCERTINA_OK = 0,
  CONCERTINA_FAILED = 1,  /**< the sentence says what is wrong, where, and what to do */
  CONCERTINA_MISUSED = 2, /**< the calling program is wrong: a pointer is NULL, a struct's size unset */
  CONCERTINA_OUT_OF_MEMORY = 3
} concertina_status;

/** One sentence, ended by '\0', cut where it is too long; "" after a success. UTF-8. */
typedef struct concertina_error {
  char message[1024];
} concertina_error;

typedef struct concertina_model concertina_model;
typedef struct concertina_session concertina_session;
typedef struct concertina_adaptive concertina_adaptive;

/* ---- models ---- */

/** What convolutions and linear layers compute with. Do not renumber. */
typedef enum concertina_precision { CONCERTINA_FP32 = 0, CONCERTINA_BF16 = 1 } concertina_precision;

typedef struct concertina_model_options {
  size_t struct_size;
  int32_t precision;  /**< a concertina_precision; default fp32 */
  const char* tuning; /**< a file of `concertina tune` for this model and machine; default: rules of thumb */
} concertina_model_options;

/** The model in a file that concertina-train wrote. options may be NULL. Fails, naming the file, if it cannot
    be read, is damaged, cannot be run here, or the tuning does not fit. */
concertina_status concertina_model_load(const char* path, const concertina_model_options* options,
                                        concertina_model** model, concertina_error* error);

/** The same with the file's bytes, which may be freed afterwards. */
concertina_status concertina_model_parse(const void* bytes, size_t size,
                                         const concertina_model_options* options, concertina_model** model,
                                         concertina_error* error);

/** Sessions of the model go on working; its memory is given back with the last of them. */
void concertina_model_free(concertina_model* model);

/** One of a model's sizes. */
typedef struct concertina_subnet_info {
  size_t struct_size;
  const char* widths;         /**< "16-12-32": active channels of each channel dimension */
  int64_t macs;               /**< multiply-accumulates for one image */
  int64_t parameters;         /**< trainable values that it uses */
  double validation_accuracy; /**< 0 .. 1 */
  double test_accuracy;       /**< 0 .. 1; NaN if it is not known */
  size_t own_bytes;           /**< memory for it alone; the weights are shared */
  size_t scratch_bytes;       /**< memory that a session needs to run it, for each image of a batch */
  size_t workspace_bytes;     /**< and besides, for each of its threads */
} concertina_subnet_info;

/** How many sub-nets there are, from the largest, 0, to the smallest; 0 if model is NULL. Everywhere a
    sub-net is its index. */
int32_t concertina_model_subnet_count(const concertina_model* model);
concertina_status concertina_model_subnet(const concertina_model* model, int32_t subnet,
                                          concertina_subnet_info* info, concertina_error* error);

/** The index of the sub-net with these widths, "16-12-32". Fails with a list of those that there are. */
concertina_status concertina_model_find(const concertina_model* model, const char* widths, int32_t* subnet,
                                        concertina_error* error);

/** What a model expects of an image, its first input: floats [channels][height][width], (x - mean) / stddev
   of pixels of 0 .. 1. */
typedef struct concertina_image_info {
  size_t struct_size;
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t resize;      /**< pixels of the shorter side from which the middle is taken; usually the height */
  const float* mean;   /**< [channels] */
  const float* stddev; /**< [channels] */
} concertina_image_info;

concertina_status concertina_model_image(const concertina_model* model, concertina_image_info* info,
                                         concertina_error* error);

/** One input or output: floats [channels][height][width] for each image. A vector, such as logits, is a map
   of one pixel. */
typedef struct concertina_tensor_info {
  size_t struct_size;
  const char* name; /**< in the model's file */
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t reserved;
} concertina_tensor_info;

/** Inputs and outputs are numbered from 0, in the order in which a run takes and gives them. 0 of them if
    model is NULL. */
int32_t concertina_model_input_count(const concertina_model* model);
int32_t concertina_model_output_count(const concertina_model* model);
concertina_status concertina_model_input(const concertina_model* model, int32_t input,
                                         concertina_tensor_info* info, concertina_error* error);
concertina_status concertina_model_output(const concertina_model* model, int32_t output,
                                          concertina_tensor_info* info, concertina_error* error);

/** Floats of one image, over all inputs and over all outputs; 0 if model is NULL. */
size_t concertina_model_input_size(const concertina_model* model);
size_t concertina_model_output_size(const concertina_model* model);

/** A name for each value of the first output; none if that is a map of several pixels, or model is NULL. */
int32_t concertina_model_class_count(const concertina_model* model);

/** NULL if there is no such class. */
const char* concertina_model_class(const concertina_model* model, int32_t index);

/** Memory of the packed weights, which all sub-nets share; 0 if model is NULL. */
size_t concertina_model_packed_bytes(const concertina_model* model);

/* ---- sessions: the caller chooses the sub-net ---- */

typedef struct concertina_session_options {
  size_t struct_size;
  int32_t threads;   /**< that work on one run, the caller's included, 1 .. 256; default 1 */
  int32_t max_batch; /**< images that one run may have; default 1 */
} concertina_session_options;

/** Allocates all that runs will need. options may be NULL. Fails if an option is out of range or memory is
    short. */
concertina_status concertina_session_create(const concertina_model* model,
                                            const concertina_session_options* options,
                                            concertina_session** session, concertina_error* error);
void concertina_session_free(concertina_session* session);

/** Runs a sub-net: images [batch][channels][height][width] -> outputs [batch][classes]. Of several inputs
   each lies whole after the one before, and so do outputs. image_floats and output_floats are the arrays'
   lengths: batch times concertina_model_input_size() and concertina_model_output_size(). Any sub-net may
   follow any other at no cost. Neither allocates nor locks, unless it fails, which it does if the batch, the
   sub-net or a length is not right. */
concertina_status concertina_session_run(concertina_session* session, const float* images,
                                         size_t image_floats, int32_t batch, int32_t subnet, float* outputs,
                                         size_t output_floats, concertina_error* error);

/* ---- adaptive sessions: the time that there is chooses ---- */

typedef struct concertina_adaptive_options {
  size_t struct_size;
  int32_t threads;           /**< as of a session; default 1 */
  int32_t batch;             /**< images of every run; default 1 */
  const char* latency_table; /**< a file of `concertina profile` for this model and machine; default: measures
                                  when the session is created, which takes some hundred runs of the largest */
  int32_t other_machine;     /**< not 0: the table may be another machine's; it is corrected after the first
                                  runs */
  int32_t supervise_ms; /**< how often a thread looks at what the machine shows and limits the sub-nets' size
                             by it: 20 .. 60000, 200 is a good one; default: never */
  const char* plan;     /**< a file of `concertina plan`, whose rules then say the largest sub-net; default:
                             none */
} concertina_adaptive_options;

/** options may be NULL. Fails if an option is out of range, memory is short, or the latency table cannot be
    read, is of another machine, or lacks a sub-net with this batch and number of threads, or if
    the plan does not fit or supervise_ms is not set with it. */
concertina_status concertina_adaptive_create(const concertina_model* model,
                                             const concertina_adaptive_options* options,
                                             concertina_adaptive** adaptive, concertina_error* error);
void concertina_adaptive_free(concertina_adaptive* adaptive);

/** What an answer may cost, and what it must be worth. */
typedef struct concertina_budget {
  size_t struct_size;
  double deadline_ms; /**< from the call of the run; infinity: any time will do; 0 or less, such as -3: it has
                           passed, and the fastest sub-net runs. NaN is refused, here and below */
  double quantile;    /**< the share of answers that are to be in time, between 0 and 1; default 0.99 */
  double min_accuracy; /**< 0 .. 1: no sub-net whose validation accuracy is below is run; default any */
} concertina_budget;

/** What a run was. */
typedef struct concertina_answer {
  size_t struct_size;
  int32_t subnet;      /**< that ran */
  double accuracy;     /**< its validation accuracy */
  double predicted_ms; /**< the time in which the run was to end for the requested share of answers to be in
                            time: a quantile of what runs take now, corrected by how many have been late */
  double actual_ms;    /**< from the call to its end */
  int32_t fits;        /**< not 0: predicted_ms is at most the deadline */
  int32_t in_time;     /**< not 0: actual_ms is at most the deadline */
} concertina_answer;

/** Runs the most accurate sub-net that fits the budget; if none does, of those that are accurate enough the
    one that is most likely to be of use. Arrays as of concertina_session_run(). answer may be NULL. Neither
    allocates nor locks, unless it fails, which it does if the budget is no budget, no sub-net reaches
    min_accuracy, or a length is not right. */
concertina_status concertina_adaptive_run(concertina_adaptive* adaptive, const float* images,
                                          size_t image_floats, const concertina_budget* budget,
                                          float* outputs, size_t output_floats, concertina_answer* answer,
                                          concertina_error* error);

/** For concertina_adaptive_select(): the budget decides. */
#define CONCERTINA_BY_BUDGET (-1)

/** Every run takes this sub-net from now on, whatever the budget; CONCERTINA_BY_BUDGET takes that back. Fails
    if there is no such sub-net. */
concertina_status concertina_adaptive_select(concertina_adaptive* adaptive, int32_t subnet,
                                             concertina_error* error);

/** No sub-net larger than this one is run; 0: all may be. From any thread. Fails if there is no such
    sub-net. */
concertina_status concertina_adaptive_allow_from(concertina_adaptive* adaptive, int32_t subnet,
                                                 concertina_error* error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
