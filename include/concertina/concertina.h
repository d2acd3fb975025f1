/**
 * Concertina for C, and for languages that call C: a CNN of several sizes, and a runtime that picks the size
 * for each run. The header is C99 and C++. In C++ the headers beside it are more comfortable.
 *
 * Objects. A function that makes an object gives it through a pointer to a handle. The caller owns the object
 * and frees it with the function of its type. Freeing NULL does nothing. Strings and arrays in the structs
 * that the library fills belong to the object that they were asked of. They live as long as it does; nobody
 * else frees them. The library reads what the caller passes during the call and does not keep it.
 *
 * Errors. A function that can fail returns a concertina_status. It also takes a concertina_error of the
 * caller's, or NULL. That struct is plain memory: nothing has to be freed, no other call overwrites it, and
 * it holds a message even where memory has run out. A function that fails gives no object and leaves results
 * as they were. No C++ exception leaves the library. The library prints nothing.
 *
 * Threads. Models and rules never change: any number of threads may use them. A session or scheduler is for
 * one thread at a time. A run that finds another thread inside fails and changes nothing. Only
 * concertina_adaptive_allow_from() and concertina_adaptive_machine() may be called beside a run.
 *
 * Growth. Every struct but concertina_error begins with its size. The caller sets it:
 *
 *     concertina_budget budget = {.struct_size = sizeof budget, .deadline_ms = 8};
 *
 * The other fields are 0 here. A field that is 0 has its default, if its comment names one. Later versions
 * only add functions, values of enums, and fields at the end of structs. So a program runs with every library
 * of the same SONAME without being compiled again (docs/library.md).
 */
#ifndef CONCERTINA_CONCERTINA_H
#define CONCERTINA_CONCERTINA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The library's version: "0.1.0". */
const char* concertina_version(void);

/** Treat values that are not listed here as failures. Do not renumber. */
typedef enum concertina_status {
  CONCERTINA_OK = 0,
  CONCERTINA_FAILED = 1, /**< the message says what is wrong, where, and what to do */
  CONCERTINA_MISUSED =
      2, /**< the calling program is wrong: a pointer is NULL, or a struct's size is not set */
  CONCERTINA_OUT_OF_MEMORY = 3
} concertina_status;

/** One sentence of UTF-8, ended by '\0', cut where it is too long. Empty after a success. */
typedef struct concertina_error {
  char message[1024];
} concertina_error;

typedef struct concertina_model concertina_model;
typedef struct concertina_session concertina_session;
typedef struct concertina_adaptive concertina_adaptive;
typedef struct concertina_cascade concertina_cascade;
typedef struct concertina_rules concertina_rules;
typedef struct concertina_scheduler concertina_scheduler;

/* ---- models ---- */

/** The numbers that convolutions and linear layers compute with. Do not renumber. */
typedef enum concertina_precision {
  CONCERTINA_FP32 = 0,
  CONCERTINA_BF16 = 1,
  CONCERTINA_INT8 = 2,
  CONCERTINA_AUTO = 3
} concertina_precision;

typedef struct concertina_model_options {
  size_t struct_size;
  int32_t precision;  /**< a concertina_precision; default fp32 */
  const char* tuning; /**< a file that `concertina tune` or `concertina precisions` wrote for this model on
                         this machine; default: rules of thumb choose the kernels */
  const char* cache; /**< a folder in which the packed weights are kept for the next load, which maps them and
                        does not pack; default: nothing is kept */
} concertina_model_options;

/** Loads a file that concertina-train wrote. options may be NULL. Fails if the file cannot be read, is
   damaged or cannot run on this machine, or if the tuning is of another model or machine. The message names
   the file. */
concertina_status concertina_model_load(const char* path, const concertina_model_options* options,
                                        concertina_model** model, concertina_error* error);

/** The same with the file's bytes. They may be freed afterwards. */
concertina_status concertina_model_parse(const void* bytes, size_t size,
                                         const concertina_model_options* options, concertina_model** model,
                                         concertina_error* error);

/** What was made of the model goes on working. The memory is given back when the last of it is freed. */
void concertina_model_free(concertina_model* model);

/** One of a model's sizes. */
typedef struct concertina_subnet_info {
  size_t struct_size;
  const char* widths;         /**< "16-12-32": the active channels of each channel dimension; 0: absent. A
                                 resolution, if it has one, comes behind them: "16-12-32@24" */
  int64_t macs;               /**< multiply-accumulates for one image */
  int64_t parameters;         /**< trainable values that it uses */
  double validation_accuracy; /**< top-1 on the validation images, 0 .. 1 */
  double test_accuracy;       /**< top-1 on the test images, 0 .. 1; NaN if it was not measured */
  size_t own_bytes;           /**< memory that it shares with no other sub-net */
  size_t scratch_bytes;       /**< memory that a session allocates for each image of its largest batch */
  size_t workspace_bytes;     /**< memory that a session allocates for each of its threads */
  int32_t height; /**< of the image that its layers run on: the model's, or less if it has a resolution */
  int32_t width;  /**< likewise */
} concertina_subnet_info;

/** The number of sub-nets; 0 if model is NULL. Sub-net 0 is the largest, the last is the smallest. All
   functions name a sub-net by this index. */
int32_t concertina_model_subnet_count(const concertina_model* model);
concertina_status concertina_model_subnet(const concertina_model* model, int32_t subnet,
                                          concertina_subnet_info* info, concertina_error* error);

/** The index of the sub-net with these widths, and this resolution if it has one: "16-12-32@24". Fails if the
   model does not have it; the message lists those that it has. */
concertina_status concertina_model_find(const concertina_model* model, const char* widths, int32_t* subnet,
                                        concertina_error* error);

/** The image that a model takes as its first input: floats [channels][height][width]. A value is
    (x - mean) / stddev, where x is the pixel from 0 to 1. The program decodes and normalises images. */
typedef struct concertina_image_info {
  size_t struct_size;
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t resize;    /**< images of another size are scaled until their shorter side has so many pixels, then
                          the middle is taken; usually the height */
  const float* mean; /**< [channels] */
  const float* stddev; /**< [channels] */
  int32_t bgr;         /**< 1: the three channels are blue, green, red; 0: red, green, blue */
  int32_t reserved;
} concertina_image_info;

concertina_status concertina_model_image(const concertina_model* model, concertina_image_info* info,
                                         concertina_error* error);

/** One input or output: floats [channels][height][width] for each image. A vector, such as the logits, has
    height 1 and width 1. */
typedef struct concertina_tensor_info {
  size_t struct_size;
  const char* name; /**< its name in the model's file */
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t probabilities; /**< 1: a softmax made its values; 0: they are scores, or anything else */
} concertina_tensor_info;

/** The numbers of inputs and outputs; 0 if model is NULL. They are numbered in the order in which a run takes
    and gives them. */
int32_t concertina_model_input_count(const concertina_model* model);
int32_t concertina_model_output_count(const concertina_model* model);
concertina_status concertina_model_input(const concertina_model* model, int32_t input,
                                         concertina_tensor_info* info, concertina_error* error);
concertina_status concertina_model_output(const concertina_model* model, int32_t output,
                                          concertina_tensor_info* info, concertina_error* error);

/** Number of floats for one image: of all inputs together, and of all outputs together. 0 if model is NULL.
 */
size_t concertina_model_input_size(const concertina_model* model);
size_t concertina_model_output_size(const concertina_model* model);

/** The number of classes: one for each value of the first output. 0 if the first output is no vector, or if
    model is NULL. */
int32_t concertina_model_class_count(const concertina_model* model);

/** The name of a class; NULL if there is no such class. */
const char* concertina_model_class(const concertina_model* model, int32_t index);

/** Memory of the packed weights in bytes. All sub-nets share them. 0 if model is NULL. */
size_t concertina_model_packed_bytes(const concertina_model* model);

/* ---- sessions: the caller chooses the sub-net ---- */

typedef struct concertina_session_options {
  size_t struct_size;
  int32_t threads;   /**< threads that work on one run, with the caller's, 1 .. 256; default 1 */
  int32_t max_batch; /**< the most images that one run may have; default 1 */
} concertina_session_options;

/** Allocates all the memory that runs need. options may be NULL. Fails if an option is out of range, if
   memory is short, or if the system refuses a thread. */
concertina_status concertina_session_create(const concertina_model* model,
                                            const concertina_session_options* options,
                                            concertina_session** session, concertina_error* error);
void concertina_session_free(concertina_session* session);

/** Runs a sub-net: images [batch][channels][height][width] -> outputs [batch][classes]. Several inputs come
   one after the other, each for the whole batch, and so do several outputs. image_floats is batch times
    concertina_model_input_size(); output_floats is batch times concertina_model_output_size(). A sub-net with
    a resolution scales the images down; it also takes images of its own height and width as they are. The
    length tells them apart. Denormal numbers count as zero while it runs. Changing the sub-net from run to
   run costs nothing. A run that succeeds neither allocates nor waits. Fails if the batch, the sub-net or a
   length is wrong, or if another thread is in the session. */
concertina_status concertina_session_run(concertina_session* session, const float* images,
                                         size_t image_floats, int32_t batch, int32_t subnet, float* outputs,
                                         size_t output_floats, concertina_error* error);

/* ---- adaptive sessions: the deadline chooses the sub-net ---- */

typedef struct concertina_adaptive_options {
  size_t struct_size;
  int32_t threads; /**< threads that work on one run, 1 .. 256; default 1 */
  int32_t batch;   /**< images of every run; default 1 */
  const char*
      latency_table;     /**< a file that `concertina profile` wrote for this model on this machine while it
                              was quiet, with this batch and number of threads; default: measure when the
                              session is created, for half a second and at least 20 runs of each sub-net. If
                              the machine is busy then, the first hundreds of requests get smaller sub-nets
                              than they could: give a table where the program may start on a busy machine */
  int32_t other_machine; /**< not 0: accept a table and a plan of another machine; the first runs correct the
                              table */
  int32_t supervise_ms;  /**< period at which a thread looks at the machine and limits the size of sub-nets,
                              20 .. 60000; 200 is a good choice; default: never */
  const char* plan; /**< a file that `concertina plan` wrote for this model on this machine; its rules then
                         say which sub-net is the largest that may run; needs supervise_ms; default: none */
} concertina_adaptive_options;

/** Measures if there is no latency table. options may be NULL. Fails if an option is out of range, if memory
   is short, if the system refuses a thread, or if the table or the plan cannot be read or is of another model
   or machine. */
concertina_status concertina_adaptive_create(const concertina_model* model,
                                             const concertina_adaptive_options* options,
                                             concertina_adaptive** adaptive, concertina_error* error);
void concertina_adaptive_free(concertina_adaptive* adaptive);

/** How long an answer may take, and how good it must be. */
typedef struct concertina_budget {
  size_t struct_size;
  double deadline_ms;  /**< the time from the call until the answer; infinity: no deadline; 0 or less has
                          passed  already: the fastest sub-net runs. NaN is refused, here and below */
  double quantile;     /**< the share of answers that must be in time, above 0 and below 1; default 0.99 */
  double min_accuracy; /**< 0 .. 1: sub-nets with a lower validation accuracy do not run; default: any may */
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

/** Runs the most accurate sub-net that fits the budget. If none fits, it runs the one that promises most
   among those that are accurate enough. Arrays are those of concertina_session_run(). answer may be NULL. A
   run that succeeds neither allocates nor waits. Fails if a number of the budget is out of range, if no
   sub-net reaches min_accuracy, if a length is wrong, or if another thread is in the session. */
concertina_status concertina_adaptive_run(concertina_adaptive* adaptive, const float* images,
                                          size_t image_floats, const concertina_budget* budget,
                                          float* outputs, size_t output_floats, concertina_answer* answer,
                                          concertina_error* error);

/** For concertina_adaptive_select(): the budget decides. */
#define CONCERTINA_BY_BUDGET (-1)

/** From now on every run takes this sub-net, whatever the budget says. CONCERTINA_BY_BUDGET takes that back.
    Fails if there is no such sub-net, or if another thread is in the session. */
concertina_status concertina_adaptive_select(concertina_adaptive* adaptive, int32_t subnet,
                                             concertina_error* error);

/** From now on no larger sub-net than this one runs; 0 allows all. May be called from any thread. Fails if
    there is no such sub-net. */
concertina_status concertina_adaptive_allow_from(concertina_adaptive* adaptive, int32_t subnet,
                                                 concertina_error* error);

/** What state a machine is in, from the best to the worst. Do not renumber. */
typedef enum concertina_machine_state {
  CONCERTINA_ANY_STATE = -1, /**< in a rule: any state that no other rule is for */
  CONCERTINA_NORMAL = 0,
  CONCERTINA_BUSY = 1,      /**< other programs want the processors too */
  CONCERTINA_SAVING = 2,    /**< it has been told to use little power, or its frequency is held down */
  CONCERTINA_THROTTLED = 3, /**< the container's share of the processors is used up */
  CONCERTINA_HOT = 4        /**< near the temperature at which the processor protects itself */
} concertina_machine_state;

/** What an adaptive session knows of its machine. */
typedef struct concertina_machine {
  size_t struct_size;
  int32_t state; /**< a concertina_machine_state; normal without supervise_ms */
  int32_t reserved;
  double slow_down; /**< what runs take now, as a multiple of what the latency table says */
} concertina_machine;

/** What concertina_rules_find() asks for. May be called from any thread. */
concertina_status concertina_adaptive_machine(const concertina_adaptive* adaptive,
                                              concertina_machine* machine, concertina_error* error);

/* ---- rules: what a plan says for the machine's state ---- */

typedef struct concertina_rules_options {
  size_t struct_size;
  int32_t other_machine; /**< not 0: accept a plan of another machine */
  int32_t reserved;
} concertina_rules_options;

/** Loads a file that `concertina plan` wrote for this model. options may be NULL. Fails if the file cannot be
    read, is damaged, or is of another model, precision or machine. The message names the file. */
concertina_status concertina_rules_load(const char* path, const concertina_model* model,
                                        const concertina_rules_options* options, concertina_rules** rules,
                                        concertina_error* error);
void concertina_rules_free(concertina_rules* rules);

/** How to run while a rule is in force. */
typedef struct concertina_rule {
  size_t struct_size;
  const char* name; /**< the name of the state in the SLO file */
  int32_t machine;  /**< the concertina_machine_state that it is for */
  int32_t subnet;   /**< the largest sub-net that should run */
  int32_t threads;
  int32_t batch;
  double min_accuracy; /**< the hard bound on accuracy, 0 .. 1; for concertina_budget */
  const char* note;    /**< the bounds that the plan does not keep in this state; empty if it keeps all */
  int32_t feasible;    /**< not 0: the plan keeps all hard bounds in this state */
  int32_t reserved;
} concertina_rule;

/** The number of rules; 0 if rules is NULL. */
int32_t concertina_rules_count(const concertina_rules* rules);
concertina_status concertina_rules_rule(const concertina_rules* rules, int32_t rule, concertina_rule* info,
                                        concertina_error* error);

/** The rule for a machine in this concertina_machine_state whose runs take slow_down times what the latency
    table says; concertina_adaptive_machine() knows both. current is the rule in force, or -1: the plan goes
   back to a larger sub-net only when the slow-down is clearly smaller again. NaN counts as the worst
   slow-down. Does not allocate. Fails if there is no such state. */
concertina_status concertina_rules_find(const concertina_rules* rules, int32_t state, double slow_down,
                                        int32_t current, int32_t* rule, concertina_error* error);

/* ---- cascades: a small sub-net first, a larger one if the answer is not sure ---- */

typedef struct concertina_cascade_options {
  size_t struct_size;
  int32_t threads;           /**< threads that work on one run, 1 .. 256; default 1 */
  int32_t other_machine;     /**< not 0: accept a latency table of another machine */
  const char* latency_table; /**< as in concertina_adaptive_options, with batch 1 */
} concertina_cascade_options;

/** Loads a file that `concertina cascade` wrote for this model (<model>.cascade.json). Measures if there is
   no latency table. options may be NULL. Fails if the file cannot be read, is damaged, or is of another model
   or precision, or for the reasons of concertina_adaptive_create(). */
concertina_status concertina_cascade_create(const concertina_model* model, const char* path,
                                            const concertina_cascade_options* options,
                                            concertina_cascade** cascade, concertina_error* error);
void concertina_cascade_free(concertina_cascade* cascade);

/** How long an answer of a cascade may take. */
typedef struct concertina_cascade_budget {
  size_t struct_size;
  double deadline_ms; /**< the time from the call until the answer; infinity: no deadline */
  double quantile; /**< a stage starts only if this share of its runs would be in time; above 0 and below 1;
                        default 0.99 */
} concertina_cascade_budget;

/** What a cascade answered, and what ran for it. */
typedef struct concertina_cascade_answer {
  size_t struct_size;
  int32_t label;     /**< the class; -1: not even the first stage would have been in time */
  int32_t subnet;    /**< the sub-net of the last stage that ran; -1: none ran */
  double confidence; /**< 0 .. 1, by the measure that the cascade's file names */
  double actual_ms;  /**< from the call to its end */
  int32_t stages;    /**< how many stages ran */
  int32_t cut_short; /**< not 0: the deadline kept the next stage from running; the answer was not sure yet */
  int32_t in_time;   /**< not 0: there is a label, and the run met the deadline */
  int32_t reserved;
} concertina_cascade_answer;

/** Classifies one image, [channels][height][width]. It starts no stage that would not be in time. budget may
   be NULL: no deadline. Writes scores [classes]; softmax of them are the probabilities (of a model whose
   outputs are probabilities, scores are made of their logarithms). scores may be NULL, with score_floats 0. A
   run that succeeds neither allocates nor waits. Fails if a number of the budget is out of range, if a length
   is wrong, or if another thread is in the cascade. */
concertina_status concertina_cascade_run(concertina_cascade* cascade, const float* image, size_t image_floats,
                                         const concertina_cascade_budget* budget, float* scores,
                                         size_t score_floats, concertina_cascade_answer* answer,
                                         concertina_error* error);

/* ---- schedulers: several models share one thread ---- */

typedef struct concertina_scheduler_options {
  size_t struct_size;
  double reserve; /**< the share of the time from a request to its deadline that plans leave free for what is
                     not foreseen, up to 1; default 0.1; negative: none */
} concertina_scheduler_options;

/** Measures the steps of all sub-nets: at least 20 runs of each, and half a second in all. models are
    model_count handles; one that is there twice counts as two. options may be NULL. Fails if an option is out
   of range, if there is no model, or if memory is short. */
concertina_status concertina_scheduler_create(const concertina_model* const* models, size_t model_count,
                                              const concertina_scheduler_options* options,
                                              concertina_scheduler** scheduler, concertina_error* error);

/** Requests that wait are dropped. */
void concertina_scheduler_free(concertina_scheduler* scheduler);

/** Puts a request for one image into the queue and gives its number: 0 for the first, then 1, and so on.
   model is an index of the models that the scheduler was made of. Until the request has left, image and
   outputs must live and image must not change. Before that, outputs hold no result. The deadline counts from
   this call; infinity: none. Allocates only if more requests wait than ever before. Fails if there is no such
   model, if a length is wrong, if the deadline is NaN, or if another thread is in the scheduler. */
concertina_status concertina_scheduler_submit(concertina_scheduler* scheduler, int32_t model,
                                              const float* image, size_t image_floats, double deadline_ms,
                                              float* outputs, size_t output_floats, int64_t* request,
                                              concertina_error* error);

/** In a concertina_scheduled: no request left the scheduler with this step. */
#define CONCERTINA_NO_REQUEST (-1)

/** A request that has left the scheduler: answered, or given up. */
typedef struct concertina_scheduled {
  size_t struct_size;
  int64_t request; /**< the number that concertina_scheduler_submit() gave, or CONCERTINA_NO_REQUEST */
  int32_t model;
  int32_t subnet;   /**< the sub-net that answered */
  double accuracy;  /**< its validation accuracy, 0 .. 1 */
  double actual_ms; /**< from the request until it left */
  int32_t shed;     /**< not 0: given up, because no sub-net could have been in time; there is no output */
  int32_t in_time;  /**< not 0: answered before the deadline */
} concertina_scheduled;

/** Runs one step of one request, or gives one up. Says which request left with that. Does nothing if no
   request waits. Call it until concertina_scheduler_waiting() is 0. Allocates only if more requests wait than
   ever before. Fails if another thread is in the scheduler. */
concertina_status concertina_scheduler_advance(concertina_scheduler* scheduler, concertina_scheduled* left,
                                               concertina_error* error);

/** Requests that were submitted and have not left; 0 if scheduler is NULL. */
size_t concertina_scheduler_waiting(const concertina_scheduler* scheduler);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
