export {
  type Availability,
  alignedBuffer,
  type Backend,
  backend,
  type Capabilities,
  EngineError,
  type LaneStats,
  type Probed,
  probe,
  type Stats,
  stats,
} from './index.js';
