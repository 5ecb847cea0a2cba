/*
 * What each verb is answered, once the policy allows it.
 */
#ifndef BRIDLE_ANSWERS_H
#define BRIDLE_ANSWERS_H

#include "job.h"

/* Finishes the job, starts its action, or says that it has to wait. */
void answers_give(struct job *);

#endif
