import {
  createRootRoute, createRoute, createRouter, lazyRouteComponent, type AnyRoute,
} from '@tanstack/react-router'
import { Broken, Lost } from '../parts/State'
import './afresh'
import { Console } from './Console'

const root = createRootRoute({ notFoundComponent: Lost, errorComponent: Broken })

// What somebody must be signed in for: everything but taking up an invitation.
const inside = createRoute({ getParentRoute: () => root, id: 'console', component: Console, errorComponent: Broken })

type View = Parameters<typeof lazyRouteComponent>[0]

/** A view at a path; it is fetched when it is first gone to. */
const at = (path: string, load: View, name: string): AnyRoute =>
  createRoute({ getParentRoute: () => inside, path, component: lazyRouteComponent(load, name as never) })

// Every URL there is. What a view filters by stands in its query, so that it can be shared.
const routes = [
  at('/', () => import('../views/inbox/Inbox'), 'Inbox'),
  at('/welcome', () => import('../views/welcome/Welcome'), 'Welcome'),
  at('/findings', () => import('../views/findings/Findings'), 'Findings'),
  at('/findings/$id', () => import('../views/findings/Finding'), 'Finding'),
  at('/estate', () => import('../views/estate/Estate'), 'Estate'),
  at('/estate/$id', () => import('../views/estate/Resource'), 'Resource'),
  at('/runbooks', () => import('../views/runbooks/Runbooks'), 'Runbooks'),
  at('/runbooks/new', () => import('../views/runbooks/Editor'), 'NewRunbook'),
  at('/runbooks/$id', () => import('../views/runbooks/Runbook'), 'Runbook'),
  at('/plans/$id', () => import('../views/plan/Plan'), 'PlanView'),
  at('/approvals/$id', () => import('../views/plan/Plan'), 'ApprovalView'),
  at('/executions', () => import('../views/execution/Executions'), 'Executions'),
  at('/executions/$id', () => import('../views/execution/Execution'), 'Execution'),
  at('/risk', () => import('../views/risk/Risk'), 'Risk'),
  at('/decisions/$id', () => import('../views/risk/Decision'), 'Decision'),
  at('/audit', () => import('../views/audit/Audit'), 'Audit'),
  at('/audit/$id', () => import('../views/audit/Event'), 'AuditEvent'),
  at('/governance', () => import('../views/governance/Governance'), 'Governance'),
  at('/settings', () => import('../views/settings/Settings'), 'Settings'),
  at('/overview', () => import('../views/overview/Overview'), 'Overview'),
  createRoute({ getParentRoute: () => inside, path: '$', component: Lost }),
]

const invitation = createRoute({
  getParentRoute: () => root, path: '/invitation',
  component: lazyRouteComponent(() => import('../views/login/Invitation'), 'Invitation'),
})

export const router = createRouter({
  routeTree: root.addChildren([inside.addChildren(routes), invitation]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  // A view that makes a mistake does so within its frame: the way to every other one stays.
  defaultErrorComponent: Broken,
})
